package flow

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const argusHeader = "StartTime,LastTime,Flgs,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,SrcPkts,DstPkts,SrcBytes,DstBytes,State\n"

// Lines of ra 3.0.8.
const argusLog = argusHeader +
	`1795585335.347499,1795585335.346894,          ,man,0,0,,0,0,0,0,0,0,STA
1795418334.453518,1795418336.332965, e        ,ipv6-icmp,::,143,   ->,ff02::16,0,20,0,2220,0,MHR
1795418337.381843,1795418337.381863, e        ,tcp,10.50.0.26,46234,   ->,10.60.0.5,9999,1,1,74,54,RST
1795418338.387279,1795418338.387487, e        ,icmp,10.50.0.24,0x0008,  <->,10.60.0.5,0x4d00,1,1,98,98,ECO
1795418339.387279,1795418339.387487, e        ,icmp,10.50.0.24,0x0008,   ->,10.60.0.6,0x4d00,1,0,98,0,ECO
1795418340.625588,1795418340.626089, e        ,udp,10.50.0.20,39950,  <->,10.60.0.5,53,1,1,84,89,CON
1795418340.625550,1795418340.625561, e        ,arp,10.50.0.20,,  who,10.50.0.1,,1,1,42,42,CON
1795418341.240374,1795418341.240374, e        ,udp,192.168.56.104,37644,   ->,192.168.56.103,182,1,0,42,0,INT
1795418341.241687,1795418341.241687, e        ,icmp,192.168.56.103,0x0303,   ->,192.168.56.104,0xb600,1,0,70,0,URP
1795418348.129929,1795418348.129929, e        ,tcp,10.50.0.67,37250,   ->,10.60.0.2,23,2,0,116,0,REQ
1795418349.952505,1795418349.952599, e        ,tcp,192.168.47.171,51250,  <?>,192.168.47.134,3306,1,1,54,60,RST
1795418350.130000,1795418350.130100, e        ,tcp,10.50.0.67,37250,   ->,10.60.0.2,80,2,1,112,60,RST
1795418351.000000,1795418355.000000, e        ,tcp,10.50.0.20,48462,   ->,10.60.0.11,443,6,4,1173,4240,CON
1795418356.000000,1795418360.000000, e        ,tcp,10.50.0.20,48462,   ->,10.60.0.11,443,60,40,11730,42400,CON
1795418361.000000,1795418365.000000, e        ,tcp,10.50.0.20,48462,   ->,10.60.0.11,443,6,4,1173,4240,FIN
`

func TestArgusOutcomes(t *testing.T) {
	testOutcomes(t, map[string]outcomes{
		"columns of one's own": {argusLog, map[string]string{
			"10.50.0.26 10.60.0.5 tcp/9999":          "refused",
			"10.50.0.24 10.60.0.5 icmp/8":            "answered data",
			"10.50.0.24 10.60.0.6 icmp/8":            "silent",
			"10.50.0.20 10.60.0.5 udp/53":            "answered data",
			"192.168.56.104 192.168.56.103 udp/182":  "refused",
			"10.50.0.67 10.60.0.2 tcp/23":            "silent",
			"192.168.47.171 192.168.47.134 tcp/3306": "odd",
			"10.50.0.67 10.60.0.2 tcp/80":            "answered",
			"10.50.0.20 10.60.0.11 tcp/443":          "answered data",
		}},
		"flags in place of states": {argusHeader +
			`1795418341.0,1795418341.1, e        ,tcp,10.50.0.66,58640,   ->,10.60.0.5,1044,1,1,58,54,S_RA
1795418341.0,1795418341.1, e        ,tcp,10.50.0.66,58640,   ->,10.60.0.5,22,2,1,112,58,SR_SA
1795418341.0,1795418341.1, e        ,tcp,10.50.0.66,58640,  <?>,10.60.0.5,23,1,1,54,60,F_RA
1795418341.0,1795418341.1, e        ,tcp,10.50.0.66,58640,  <?>,10.60.0.5,24,1,1,54,60,A_R
1795418341.0,1795418341.1, e        ,tcp,10.50.0.66,58640,   ->,10.60.0.5,25,1,0,54,0,S_
`, map[string]string{
			"10.50.0.66 10.60.0.5 tcp/1044": "refused",
			"10.50.0.66 10.60.0.5 tcp/22":   "answered",
			"10.50.0.66 10.60.0.5 tcp/23":   "odd",
			"10.50.0.66 10.60.0.5 tcp/24":   "odd",
			"10.50.0.66 10.60.0.5 tcp/25":   "silent",
		}},
		"the binetflow files of CTU": {`StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label
2011/08/10 09:46:53.047277,3550.182373,udp,212.50.71.179,39678,  <->,147.32.84.229,13363,CON,0,0,12,875,413,flow=Background
2011/08/10 09:46:53.048843,0.000883,udp,84.13.246.132,28431,  <->,147.32.84.229,13363,CON,0,0,2,135,75,flow=Background
2011/08/10 09:46:59.607825,1.026539,tcp,94.44.127.113,1577,   ->,147.32.84.59,6881,S_RA,0,0,4,276,156,flow=Background
`, map[string]string{
			"212.50.71.179 147.32.84.229 udp/13363": "answered data",
			"84.13.246.132 147.32.84.229 udp/13363": "answered data",
			"94.44.127.113 147.32.84.59 tcp/6881":   "refused",
		}},
	})
}

func TestArgusGoesOn(t *testing.T) {
	records, _ := readLog(t, argusLog)
	last := records[len(records)-3:]
	if last[0].Facts.Has(Continued) || !last[1].Facts.Has(Continued) || !last[2].Facts.Has(Continued) {
		t.Errorf("of the records of one flow, the second and third go on: %v", last)
	}
}

func TestArgusMalformed(t *testing.T) {
	leftOut(t, argusHeader, 0, map[string]badLine{
		"a time without date": {"07:18:54.453518,07:18:54.453518, e ,tcp,10.0.0.1,1,   ->,10.0.0.2,2,1,1,74,54,RST", 1},
		"cut off":             {"1795418337.381843,1795418337.381863, e        ,tcp,10.50.0.26,46234,   ->", 1},
		"no number":           {"1795418337.381843,1795418337.381863, e ,tcp,10.0.0.1,1,   ->,10.0.0.2,2,1,,74,54,RST", 1},
		"a name for a port":   {"1795418337.381843,1795418337.381863, e ,tcp,10.0.0.1,1,   ->,10.0.0.2,http,1,1,74,54,RST", 1},
	})
}

// The flows that Argus makes of the sample capture have the outcomes that its packets
// have, whatever ra is told to print of them.
func TestArgusTool(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	flows := filepath.Join(t.TempDir(), "argus.out")
	file := sample(t)
	if out, err := exec.CommandContext(ctx, tool(t, "argus"), "-r", file, "-w", flows).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	columns := "stime,ltime,flgs,proto,saddr,sport,dir,daddr,dport,spkts,dpkts,sbytes,dbytes,state"
	for name, args := range map[string][]string{
		"default columns":    {"-c", ",", "-n", "-u"},
		"all columns":        {"-c", ",", "-n", "-u", "-s", columns},
		"flags of TCP":       {"-c", ",", "-n", "-u", "-Z", "b", "-s", columns},
		"another separator":  {"-c", "|", "-n", "-u", "-s", "state,dpkts,spkts,dur,stime,saddr,sport,dir,daddr,dport,proto"},
		"with payload bytes": {"-c", ",", "-n", "-u", "-s", columns + ",sappbytes,dappbytes"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.CommandContext(ctx, tool(t, "ra"), append([]string{"-r", flows}, args...)...).Output()
			if err != nil {
				t.Fatal(err)
			}
			records := readAll(t, string(out))
			agree(t, outcomesOf(t, records), outcomesOfCapture(t, file))
			compare(t, scansIn(t, records), sampleScans)
		})
	}
}
