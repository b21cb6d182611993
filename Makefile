# edgescan: what one wants to do most, and how. Only Go is needed for run, test,
# build and device; lab, and making the sample anew, need root and Debian's
# packages.

GO       ?= go
CAPTURES ?= ../shared/captures
SEED     ?= 1
BIN      := bin/edgescan
VERSION  := $(shell git describe --tags --match 'v[0-9]*' 2>/dev/null | sed 's/^v//; s/-\([0-9]*\)-g/+\1.g/' | grep . || cat VERSION)
# What runs once or for an alert is compiled without inlining: 600 KiB less.
COLD     := crypto/... vendor/... net net/... encoding/json encoding/asn1 encoding/pem math/big image/... regexp/... text/... \
            fmt os os/... reflect sort time bufio context errors internal/poll io io/fs path/filepath syscall encoding/base64 encoding/csv encoding/hex html go.yaml.in/... github.com/spf13/... github.com/rs/... github.com/google/nftables/... github.com/mdlayher/... \
            github.com/netsampler/... edgescan/cmd/... edgescan/quant/onnx edgescan/internal/alert edgescan/internal/block edgescan/internal/board edgescan/internal/config \
            edgescan/internal/confine edgescan/internal/httpd edgescan/internal/metrics edgescan/internal/picture edgescan/internal/policy edgescan/internal/record edgescan/internal/spool edgescan/internal/web
# $$round is for 32-bit ARM: segments begin at pages of 4 KiB, which its kernels have, not of 64.
DEVICE   := -trimpath -tags device -ldflags "-s -w $$round -X main.version=$(VERSION)" $(foreach p,$(COLD),-gcflags=$(p)=-l)
TARGETS  := linux/amd64 linux/arm64 linux/arm/6 linux/arm/7 linux/mips linux/mipsle linux/riscv64 linux/386

export CGO_ENABLED = 0

.PHONY: run build test test-arm64 test-archs test-live-archs test-browser lab eval pictures figures evasion folds candidates onnx bench-onnx bench bench-start bench-arm64 fuzz lint model device packages test-packages clean

## run: build, and find the scans in the bundled sample capture
run: build
	$(BIN) run -r testdata/sample.pcap.gz

## build: the program for this machine, with training
build:
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/edgescan

## test: all tests that need nothing but Go
test:
	$(GO) test ./...

## test-arm64: the kernels for arm64 against the reference, under qemu (Debian: qemu-user)
test-arm64:
	@command -v qemu-aarch64 >/dev/null || { echo "test-arm64: skipped, it needs qemu-aarch64 (Debian: qemu-user)"; exit 0; }; \
	mkdir -p out && GOARCH=arm64 $(GO) test -c -o out/quant-arm64.test ./quant && cd quant && \
	for cpu in cortex-a72 max; do echo "quant on $$cpu"; qemu-aarch64 -cpu $$cpu ../out/quant-arm64.test || exit 1; done

## test-archs: on every device architecture and s390x, the capture tests and the same lines from captures as here (Debian: qemu-user)
test-archs:
	GO="$(GO)" ./scripts/test-archs.sh

## test-live-archs: live capture on 32-bit ARM and big-endian s390x, as root on Debian (qemu-system, fetches kernels, 75 MB); with MIPS=1 on big-endian MIPS too
test-live-archs:
	GO="$(GO)" ./scripts/test-live-archs.sh

## test-browser: pages in a real Chromium (Debian: chromium)
test-browser:
	$(GO) test -tags browser -count=1 -run Browser ./cmd/edgescan

## lab: real nmap through network namespaces, as root (Debian: nmap tcpdump rsyslog iproute2)
lab:
	$(GO) test -tags lab -count=1 -timeout 15m -v ./lab

## eval: score the shipped model and the simple rules on labelled captures
eval: build
	$(BIN) eval --captures $(CAPTURES) --verbose

## pictures: the maps of docs/, out of synthetic traffic
pictures: build
	./scripts/pictures.sh

## figures: the same on more synthetic scenes, with the plots of docs/
figures: build
	$(BIN) eval --captures $(CAPTURES) --synthetic 2000 --plots docs

## evasion: how far a scan must go to stay unseen
evasion: build
	$(BIN) eval --evasion

## folds: what training on labelled captures would add
folds: build
	$(BIN) folds --captures $(CAPTURES)

## candidates: other architectures on the same maps
candidates: build
	$(BIN) candidates

## onnx: compare the exported ONNX model with onnxruntime, logit by logit (node, npm; downloads about 300 MB)
onnx:
	$(GO) test -tags onnxruntime -count=1 -v -run Onnxruntime ./quant/onnx

## bench-onnx: one inference here and in onnxruntime, on one thread
bench-onnx:
	$(GO) test -tags onnxruntime -run '^$$' -bench Shipped ./quant/onnx

## bench: packets per second, inferences, decoding
bench:
	$(GO) test -run '^$$' -bench . -benchmem ./capture ./featurize ./quant/... ./internal/detect

## bench-start: how soon the device build watches, and what it costs while nothing happens (as root, after make device)
bench-start:
	./scripts/bench-start.sh

## bench-arm64: instructions of an inference on arm64 (Debian: qemu-user gcc); no times
bench-arm64:
	GO="$(GO)" ./scripts/bench-arm64.sh

## fuzz: every fuzz target for a minute
fuzz:
	./scripts/fuzz.sh 60s

## lint: formatting, vet, staticcheck
lint:
	test -z "$$(gofmt -l . | tee /dev/stderr)"
	$(GO) vet ./...
	$(GO) vet -tags lab ./lab
	$(GO) vet -tags onnxruntime ./quant/onnx
	$(GO) vet -tags device ./cmd/...
	$(GO) vet -tags device,manpage ./cmd/...
	$(GO) vet -tags guest ./scripts/guest
	$(GO) vet -tags browser ./cmd/edgescan
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

## model: train and quantize the shipped models anew, from their seed: that for packets, that for flows
model: build
	$(BIN) train --seed $(SEED) --out model/default.float --checkpoint out/checkpoint --plots docs
	$(BIN) quantize --seed $(SEED) --float model/default.float --out quant/default.esq
	$(BIN) train --seed $(SEED) --of flows --scenes 40000 --out model/flows.float --checkpoint out/checkpoint-flows
	$(BIN) quantize --seed $(SEED) --of flows --float model/flows.float --out quant/flows.esq

## device: the static program for every target, without training: at most 8 MiB, for PCs 9
device:
	@mkdir -p bin
	@for t in $(TARGETS); do \
		set -- $$(echo $$t | tr / ' '); \
		out=bin/edgescan-$$1-$$2$${3:+v$$3}; \
		case $$2 in arm) round="-R 0x1000";; *) round=;; esac; \
		GOOS=$$1 GOARCH=$$2 GOARM=$$3 GOMIPS=softfloat $(GO) build $(DEVICE) -o $$out ./cmd/edgescan || exit 1; \
		size=$$(wc -c <$$out); \
		printf '%-28s %5d KiB\n' $$out $$((size / 1024)); \
		case $$t in linux/amd64|linux/386) most=9;; *) most=8;; esac; \
		[ $$size -le $$((most * 1048576)) ] || { echo "$$out is larger than $$most MiB"; exit 1; }; \
	done

## packages: .deb, .rpm, .apk and .ipk of every target, in out/packages (MAINTAINER='NAME <ADDRESS>')
packages: device
	GO="$(GO)" VERSION="$(VERSION)" ./packaging/build.sh $(TARGETS)

## test-packages: installs, removes and runs what packages are made of; as root on Debian all of it (packaging/test.sh names what it needs)
test-packages:
	$(MAKE) packages TARGETS="linux/amd64 linux/mips"
	VERSION="$(VERSION)" ./packaging/test.sh

clean:
	rm -rf bin out
