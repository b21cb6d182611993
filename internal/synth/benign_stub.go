package synth

var (
	peerBehaviours, voiceBehaviours, officeBehaviours,
	serverBehaviours, transferBehaviours, neighbourBehaviours, oddBehaviours []behaviour
)
