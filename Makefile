# SPDX-License-Identifier: BSD-2-Clause
#
# Builds tlswhy and runs its checks. One file for the whole tree; every product goes below build/, and nothing below
# build/ is ever committed. `make help` lists the targets. Sub-makes of this same file are used for two reasons only:
# to build with other flags into another directory, and to build after `make deps` has changed what is installed.
#
#   V=1                     show the commands              SAN=address,undefined   sanitizers, in build/san-...
#   DEBUG=1                 -Og -g3                         WERROR=0                warnings do not stop the build
#   CC= CLANG=              compilers                       VMLINUX_BTF=, VMLINUX_H=  where the kernel's types come from
#   prefix= DESTDIR=        where to install                FUZZ_SECONDS=           for each fuzz target
#   STATIC=1                a static program, in build/static; its --version says what it goes without

VERSION := 0.1.0

.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin AR),default)
AR := ar
endif
CLANG        ?= clang
LLVM_STRIP   ?= llvm-strip
BPFTOOL      ?= bpftool
PKG_CONFIG   ?= pkg-config
PYTHON       ?= /usr/bin/python3
VMLINUX_BTF  ?= /sys/kernel/btf/vmlinux
VMLINUX_H    ?=
FUZZ_SECONDS ?= 60
prefix       ?= /usr/local
sbindir      ?= $(prefix)/sbin
mandir       ?= $(prefix)/share/man
# Debian keeps bpftool in sbin, which is not in everybody's PATH.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin

comma := ,
SAN    ?=
STATIC ?=
G      := build
B      := $(G)$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))$(if $(STATIC),/static)

ifeq ($(V),1)
Q   :=
msg :=
else
Q   := @
msg  = @printf '  %-8s %s\n' '$(1)' '$(2)';
endif

# --- sources and products ---------------------------------------------------------------------------------------

# A part that cannot be linked statically has a file that takes its place in a static program.
STATIC_ONLY := user/command/export_http_absent.c
SHARED_ONLY := user/command/export_http.c
USER_SRC    := $(filter-out $(if $(STATIC),$(SHARED_ONLY),$(STATIC_ONLY)),$(sort $(wildcard user/*/*.c)))
UNIT_SRC    := $(sort $(wildcard tests/unit/*.c))
VICTIM_SRC  := $(sort $(wildcard tests/bpf/victim*.c))
BPFTEST_SRC := $(sort $(filter-out $(VICTIM_SRC),$(wildcard tests/bpf/*.c)))
LOADGEN_SRC := $(sort $(wildcard tests/bench/loadgen*.c))
AGGBENCH_SRC := $(sort $(wildcard tests/bench/aggregate_*.c))
BENCH_SRC   := $(addprefix tests/bench/,floor.c calls.c fill.c)
FUZZ_SRC    := $(sort $(wildcard tests/fuzz/fuzz_*.c))
TEST_SRC    := $(UNIT_SRC) $(BPFTEST_SRC) $(VICTIM_SRC) $(LOADGEN_SRC) $(AGGBENCH_SRC) $(BENCH_SRC) $(FUZZ_SRC)

PROGRAM := $(B)/tlswhy
LIBRARY := $(B)/libtlswhy.a
SKEL    := $(G)/tlswhy.skel.h
UNIT    := $(B)/tests/unit
BPFTEST := $(B)/tests/bpf/run
VICTIM  := $(B)/tests/bpf/victim
LOADGEN := $(B)/tests/loadgen
AGGBENCH := $(B)/tests/aggregate_bench
FLOOR   := $(B)/tests/floor
CALLS   := $(B)/tests/calls
FILL    := $(B)/tests/fill
DWARF_FIXTURES := $(B)/tests/dwarf/built
FUZZERS := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/%)

object   = $(1:%.c=$(B)/obj/%.o)
OBJECTS := $(call object,user/main.c $(USER_SRC) $(TEST_SRC))
DIRS    := $(sort $(dir $(OBJECTS) $(PROGRAM) $(UNIT) $(BPFTEST) $(G)/tlswhy))

# --- flags ------------------------------------------------------------------------------------------------------

PKGS := libbpf libelf libdw zlib jansson libcap-ng libseccomp capstone $(if $(STATIC),,libmicrohttpd)
# Asked once, and only by a recipe that needs the answer: `make deps` must work before anything is installed.
pkg   = $(or $(shell $(PKG_CONFIG) $(1) && echo ' '),$(error a library of '$(2)' is missing; hint: make deps))
PKG_CFLAGS   = $(eval PKG_CFLAGS := $$(patsubst -I%,-isystem %,$$(call pkg,--cflags $(PKGS),$(PKGS))))$(PKG_CFLAGS)
PKG_LIBS     = $(eval PKG_LIBS := $$(call pkg,--libs $(if $(STATIC),--static) $(PKGS),$(PKGS)) -lm)$(PKG_LIBS)
CHECK_LIBS   = $(eval CHECK_LIBS := $$(call pkg,--libs check,check))$(CHECK_LIBS)
OPENSSL_LIBS = $(eval OPENSSL_LIBS := $$(call pkg,--libs openssl,openssl))$(OPENSSL_LIBS)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wwrite-strings \
	-Wpointer-arith -Wvla -Wundef -Wswitch-enum $(if $(filter 0,$(WERROR)),,-Werror)
OPTIMIZE := $(if $(SAN),-O1 -g,$(if $(filter 1,$(DEBUG)),-Og -g3,-O2 -g))
# Sanitizers bring their own checks of the same kind; -D_FORTIFY_SOURCE would hide calls from them.
HARDEN   := $(if $(SAN),-fno-omit-frame-pointer -fsanitize=$(SAN) -fno-sanitize-recover=all,-fstack-protector-strong \
	$(if $(filter 1,$(DEBUG)),,-D_FORTIFY_SOURCE=2))
CPPFLAGS_ALL := -Iinclude -Iuser -DTLSWHY_VERSION=\"$(VERSION)\" \
	$(if $(STATIC),-DTLSWHY_NO_DEBUGINFOD) $(CPPFLAGS)
CFLAGS_ALL   := -std=gnu17 $(OPTIMIZE) $(WARNINGS) $(HARDEN) -fPIE $(CFLAGS)
# glibc's look-ups of users, hosts and character sets load libraries when they run, which a static program must not:
# the linker's warning of one stops the build. libcap-ng has a function that calls the two below, nobody here calls
# that function, and abort() in their place keeps the look-ups out of the program.
STATIC_FLAGS := -static-pie -Wl,--fatal-warnings -Wl,--defsym=getpwuid=abort,--defsym=initgroups=abort
LDFLAGS_ALL  := $(if $(STATIC),$(STATIC_FLAGS),-pie) -Wl,--as-needed -Wl,-z,relro,-z,now \
	$(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

MACHINE   := $(shell uname -m)
BPF_ARCH  := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(MACHINE)))
# -isystem for build/: vmlinux.h and the skeleton are generated and not held to our warnings.
BPF_FLAGS := -std=gnu17 -O2 -g -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -Ibpf -Iinclude -isystem $(G) -Wall -Wextra \
	$(if $(filter 0,$(WERROR)),,-Werror)

# --- the program ------------------------------------------------------------------------------------------------

.PHONY: all
all: $(PROGRAM) ## build the program, build/tlswhy

$(DIRS):
	$(Q)mkdir -p $@

# Rewritten only when the flags differ, so that DEBUG=1 after a release build rebuilds what it must.
.PHONY: FORCE
$(B)/flags: FORCE | $(DIRS)
	@printf '%s\n' '$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)' >$@.new; \
	if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(OBJECTS): $(B)/flags | $(DIRS)

$(call object,user/main.c $(USER_SRC)): $(B)/obj/%.o: %.c
	$(call msg,CC,$<) $(CC) $(CPPFLAGS_ALL) $(PKG_CFLAGS) -isystem $(G) $(CFLAGS_ALL) -Wconversion \
		-MMD -MP -c -o $@ $<

$(call object,$(TEST_SRC)): $(B)/obj/%.o: %.c
	$(call msg,CC,$<) $(CC) $(CPPFLAGS_ALL) $(PKG_CFLAGS) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The only sources that see the skeleton.
$(addprefix $(B)/obj/user/attach/,tracer.o tracer_memory.o tracer_read.o tracer_stats.o): $(SKEL)

$(LIBRARY): $(call object,$(USER_SRC))
	$(call msg,AR,$@) rm -f $@ && $(AR) rcs $@ $^

$(PROGRAM): $(B)/obj/user/main.o $(LIBRARY)
	$(call msg,LINK,$@) $(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

# --- the kernel side --------------------------------------------------------------------------------------------

$(G)/vmlinux.h: | $(DIRS)
ifneq ($(VMLINUX_H),)
	$(call msg,COPY,$@) cp $(VMLINUX_H) $@
else
	$(call msg,BTF,$@) test -r $(VMLINUX_BTF) || { echo "no kernel types in '$(VMLINUX_BTF)'; hint: a kernel with \
	CONFIG_DEBUG_INFO_BTF, or VMLINUX_BTF=FILE, or VMLINUX_H=FILE" >&2; exit 3; }; \
	$(BPFTOOL) btf dump file $(VMLINUX_BTF) format c >$@
endif

$(G)/bpf.flags: FORCE | $(DIRS)
	@printf '%s\n' '$(CLANG) $(BPF_FLAGS); $(LLVM_STRIP)' >$@.new; \
	if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(G)/tlswhy.bpf.o: bpf/tlswhy.bpf.c $(G)/vmlinux.h $(G)/bpf.flags
	$(call msg,BPF,$@) $(CLANG) $(BPF_FLAGS) -MMD -MP -MF $(G)/tlswhy.bpf.d -MT $@ -c -o $@ $< && \
	$(LLVM_STRIP) -g $@

$(SKEL): $(G)/tlswhy.bpf.o
	$(call msg,SKEL,$@) $(BPFTOOL) gen skeleton $< name tlswhy_bpf >$@

# What is measured against: empty programs.
$(G)/floor.bpf.o: tests/bench/floor.bpf.c $(G)/vmlinux.h $(G)/bpf.flags
	$(call msg,BPF,$@) $(CLANG) $(BPF_FLAGS) -c -o $@ $< && $(LLVM_STRIP) -g $@

$(G)/floor.skel.h: $(G)/floor.bpf.o
	$(call msg,SKEL,$@) $(BPFTOOL) gen skeleton $< name floor_bpf >$@

$(B)/obj/tests/bench/floor.o: $(G)/floor.skel.h
$(B)/obj/tests/bench/floor.o: CPPFLAGS_ALL += -isystem $(G)

-include $(OBJECTS:.o=.d) $(G)/tlswhy.bpf.d

# --- tests' programs --------------------------------------------------------------------------------------------

$(UNIT): $(call object,$(UNIT_SRC)) $(LIBRARY)
	$(call msg,LINK,$@) $(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS) $(CHECK_LIBS)

# Libraries with debug information, for the tests to read: beside the test program, where it looks for them.
$(DWARF_FIXTURES): $(wildcard tests/unit/dwarf/*) include/tlswhy/config.h user/attach/layout.h | $(DIRS)
	$(call msg,FIXTURE,$(@D)) tests/unit/dwarf/build $(@D) $(CC) && touch $@

$(BPFTEST): $(call object,$(BPFTEST_SRC)) $(LIBRARY)
	$(call msg,LINK,$@) $(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS) $(CHECK_LIBS)

# Its functions are probe targets: they must be in the dynamic symbol table, as a library's are.
$(VICTIM): $(call object,$(VICTIM_SRC))
	$(call msg,LINK,$@) $(CC) $(LDFLAGS_ALL) -rdynamic -pthread -o $@ $^

$(LOADGEN): $(call object,$(LOADGEN_SRC))
	$(call msg,LINK,$@) $(CC) $(LDFLAGS_ALL) -pthread -o $@ $^ $(OPENSSL_LIBS)

$(AGGBENCH): $(call object,$(AGGBENCH_SRC)) $(LIBRARY)
	$(call msg,LINK,$@) $(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(FLOOR) $(FILL): $(B)/tests/%: $(B)/obj/tests/bench/%.o
	$(call msg,LINK,$@) $(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(CALLS): $(B)/obj/tests/bench/calls.o
	$(call msg,LINK,$@) $(CC) $(LDFLAGS_ALL) -o $@ $^ $(OPENSSL_LIBS)

$(FUZZERS): $(B)/%: $(B)/obj/tests/fuzz/%.o $(LIBRARY)
	$(call msg,LINK,$@) $(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)

.PHONY: unit-program bpf-programs load-program aggregate-program bench-programs fuzz-programs
unit-program: $(UNIT) $(DWARF_FIXTURES)
bpf-programs: $(BPFTEST) $(VICTIM)
load-program: $(LOADGEN)
aggregate-program: $(AGGBENCH)
bench-programs: $(LOADGEN) $(FLOOR) $(CALLS) $(FILL) $(AGGBENCH)
fuzz-programs: $(FUZZERS)

# --- checks -----------------------------------------------------------------------------------------------------

need_root = @test "$$(id -u)" = 0 || { \
	echo "make $@: needs root, it loads BPF programs; hint: sudo make $@" >&2; exit 3; }
SAN_TEST := address,undefined
SAN_DIR  := $(G)/san-address-undefined

.PHONY: deps
deps: ## install what build and tests need (Debian 12 and 13)
	$(Q)tests/install-packages

.PHONY: demo
demo: ## break a private nginx's TLS in many ways and show what tlswhy says (root)
	$(need_root)
	$(Q)tests/install-packages
	$(Q)$(MAKE) --no-print-directory all load-program
	$(Q)$(PYTHON) tests/e2e/demo.py --tlswhy $(PROGRAM)

.PHONY: run
run: ## watch the nginx of this host for 30 s and say why handshakes fail (root)
	$(need_root)
	$(Q)tests/install-packages
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(PROGRAM) report -d 30

.PHONY: check
check: ## everything: deps, build, lint, unit, BPF and end-to-end tests (root)
	$(need_root)
	$(Q)tests/install-packages
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/summary "$(MAKE) --no-print-directory lint" "$(MAKE) --no-print-directory check-unit" \
		"$(MAKE) --no-print-directory check-bpf" "$(MAKE) --no-print-directory check-e2e"

.PHONY: check-unit
check-unit: ## unit and golden tests, under ASan and UBSan
	$(Q)$(MAKE) --no-print-directory SAN=$(SAN_TEST) B=$(SAN_DIR) unit-program
	$(Q)$(SAN_DIR)/tests/unit

.PHONY: check-bpf
check-bpf: $(BPFTEST) $(VICTIM) ## the kernel side against a scripted victim (root)
	$(need_root)
	$(Q)$(BPFTEST)

.PHONY: check-e2e
check-e2e: $(PROGRAM) $(LOADGEN) ## a private nginx: real failures, exact counts, load, delays (root)
	$(need_root)
	$(Q)tests/summary "$(PYTHON) tests/e2e/run.py --tlswhy $(PROGRAM)" \
		"$(PYTHON) tests/e2e/cli.py --tlswhy $(PROGRAM)" \
		"$(PYTHON) tests/e2e/export.py --tlswhy $(PROGRAM) --loadgen $(LOADGEN)" \
		"$(PYTHON) tests/e2e/load.py --tlswhy $(PROGRAM) --loadgen $(LOADGEN)" \
		"$(PYTHON) tests/e2e/parts.py --tlswhy $(PROGRAM) --loadgen $(LOADGEN)"

# Roots of other releases stay: a second run needs no network. One for each nginx and OpenSSL that Debian ships.
ROOTS  ?= $(G)/roots
SUITES ?= bullseye bookworm trixie forky
with_root = tests/roots/make-root $(1) $(ROOTS)/$(1) && \
	$(PYTHON) tests/e2e/run.py --tlswhy $(PROGRAM) --root $(ROOTS)/$(1)

.PHONY: roots
roots: $(SUITES:%=$(ROOTS)/%)

$(ROOTS)/%:
	$(Q)tests/roots/make-root $* $@

# Together they are made faster; one that cannot be made is told by its own stage.
.PHONY: check-roots
check-roots: $(PROGRAM) ## the end-to-end scenarios on other Debian releases, as containers (root)
	$(need_root)
	-$(Q)$(MAKE) --no-print-directory -k -j4 roots
	$(Q)tests/summary $(foreach suite,$(SUITES),"$(call with_root,$(suite))") \
		"$(PYTHON) tests/e2e/roots.py --tlswhy $(PROGRAM) $(SUITES:%=--root $(ROOTS)/%)"

.PHONY: check-reloads
check-reloads: $(PROGRAM) $(LOADGEN) ## a hundred reloads of nginx under load: exact counts, nothing grows (root)
	$(need_root)
	$(Q)$(PYTHON) tests/e2e/reloads.py --tlswhy $(PROGRAM) --loadgen $(LOADGEN)

# The nginx stays, as the roots do. Its functions are found in two ways; both must lead to all of the scenarios.
STATIC_NGINX := $(G)/nginx-static
STATIC_E2E   := $(PYTHON) tests/e2e/run.py --tlswhy $(G)/static/tlswhy --nginx $(STATIC_NGINX)

.PHONY: check-static
check-static: static roots ## the static program, and an nginx with OpenSSL linked in (root)
	$(need_root)
	$(Q)tests/static/make-nginx $(STATIC_NGINX)
	$(Q)tests/summary "$(PYTHON) tests/static/run.py --tlswhy $(G)/static/tlswhy --nginx $(STATIC_NGINX) \
		$(SUITES:%=--root $(ROOTS)/%)" \
		"$(STATIC_E2E)/symbols" "$(STATIC_E2E)/stripped"

# The end-to-end tests that would make check-e2e take much longer.
.PHONY: check-long
check-long: $(PROGRAM) $(LOADGEN) ## end-to-end tests that take long: more delays, containers, damaged files (root)
	$(need_root)
	$(Q)tests/summary "$(PYTHON) tests/e2e/cli.py --long --tlswhy $(PROGRAM)" \
		"$(PYTHON) tests/e2e/export.py --long --tlswhy $(PROGRAM) --loadgen $(LOADGEN)" \
		"$(PYTHON) tests/e2e/parts.py --long --tlswhy $(PROGRAM) --loadgen $(LOADGEN)"

# Nothing else should run meanwhile. BENCH="--only programs --json FILE", for instance: see tests/bench/bench.py.
BENCH ?=

.PHONY: bench
bench: ## measure what being watched costs against its goals, ten minutes (root)
	$(need_root)
	$(Q)tests/install-packages bpftrace
	$(Q)$(MAKE) --no-print-directory all bench-programs
	$(Q)$(PYTHON) -B tests/bench/bench.py --tlswhy $(PROGRAM) --tools $(B)/tests $(BENCH)

KERNELS := 5.10 6.1 6.12 7.2
.PHONY: initramfs check-kernels $(KERNELS:%=check-kernel-%)
initramfs: $(PROGRAM) static $(BPFTEST) $(VICTIM) $(LOADGEN)
	$(Q)$(PYTHON) tests/vm/make_initramfs.py $(G)/vm/initramfs.cpio

# What is emulated keeps one CPU busy most of the time, so two run side by side.
in_kernel = $(PYTHON) tests/vm/run.py $(1) --directory $(G)/vm
check-kernels: initramfs ## the tests in Linux 5.10, 6.1, 6.12 and 7.2, emulated; check-kernel-6.12 for one
	$(Q)tests/summary -j 2 $(foreach kernel,$(KERNELS),"$(call in_kernel,$(kernel))")

$(KERNELS:%=check-kernel-%): check-kernel-%: initramfs
	$(Q)$(call in_kernel,$*)

.PHONY: check-matrix
check-matrix: $(PROGRAM) $(LOADGEN) ## what takes long: releases, linked in, kernels, reloads, long, fuzz (root)
	$(need_root)
	$(Q)tests/install-packages
	$(Q)tests/summary "$(MAKE) --no-print-directory check-roots" "$(MAKE) --no-print-directory check-static" \
		"$(MAKE) --no-print-directory check-kernels" "$(MAKE) --no-print-directory check-reloads" \
		"$(MAKE) --no-print-directory check-long" \
		"$(MAKE) --no-print-directory fuzz"

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZ_SECONDS (60) under ASan and UBSan
	$(Q)$(MAKE) --no-print-directory SAN=fuzzer-no-link,address,undefined B=$(G)/fuzz CC=$(CLANG) fuzz-programs
	$(Q)tests/fuzz/run $(G)/fuzz $(FUZZ_SECONDS)

.PHONY: lint
lint: $(G)/vmlinux.h $(if $(wildcard bpf/tlswhy.bpf.c),$(SKEL)) ## the tree's rules: style, structure, documents
	$(Q)$(PYTHON) -B tests/lint/run.py

.PHONY: format
format: ## rewrite C sources in the project's style
	$(Q)$(PYTHON) -B tests/lint/run.py --format

# --- delivery ---------------------------------------------------------------------------------------------------

.PHONY: install
install: $(PROGRAM) ## install program and man page below $(DESTDIR)$(prefix)
	install -D -m 0755 $(PROGRAM) $(DESTDIR)$(sbindir)/tlswhy
	install -D -m 0644 user/dist/tlswhy.8 $(DESTDIR)$(mandir)/man8/tlswhy.8

.PHONY: uninstall
uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(sbindir)/tlswhy $(DESTDIR)$(mandir)/man8/tlswhy.8

.PHONY: static
static: ## one file that needs no library, build/static/tlswhy
	$(Q)$(MAKE) --no-print-directory STATIC=1 all

.PHONY: deb
deb: ## a Debian package (not in this version)
	@echo "make $@: not in this version" >&2; exit 1

.PHONY: clean
clean: ## remove build/
	$(Q)rm -rf $(G)

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z][a-z0-9-]*\):[^#]*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | \
	while IFS='	' read -r target text; do printf '  %-14s %s\n' "$$target" "$$text"; done
