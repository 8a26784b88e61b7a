#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run-in-bochs.sh PROGRAM [ARGS...] [--file F]...
#
# Runs a static x86-64 Linux PROGRAM on an emulated CPU with AVX-512 VNNI, and
# with AMX if asked, for machines that have none: boots a Debian kernel in Bochs
# with PROGRAM and each F in one folder, the program's working directory (so ARGS
# name files by their last component). Prints the program's stdout and stderr,
# returns its exit code; 124 after BOCHS_TIMEOUT seconds (default 1800), 125 if
# the machine failed. It gives no standard input, no network, one CPU and
# BOCHS_MEMORY MiB.
#
# Needs: apt-get install isolinux syslinux-common xorriso cpio clang-22, and the
# package linux-image-cloud-amd64, downloaded (not installed) into ~/.cache on
# first use (BOCHS_KERNEL names another vmlinuz instead). BOCHS names a Bochs 3.0
# (Debian 13's source package), with the BIOS files of apt-get install bochsbios
# vgabios, built by
#   CXX=clang++-22 ./configure --with-nogui --enable-x86-64 --enable-cpu-level=6 \
#     --enable-fpu --enable-avx --enable-evex --enable-amx --enable-cet \
#     --enable-pci --enable-all-optimizations --disable-debugger \
#     --disable-plugins --disable-docbook --disable-large-ramfile && make bochs
# Debian 12's Bochs 2.7 will not do: its CPUID leaf 0xD describes no PKRU state,
# so that Linux turns XSAVE off, and AVX with it.
# BOCHS_CPU: a model of `bochs --help cpu`; tigerlake, the default, has VNNI;
# sapphire_rapids has AMX too, and boots in a Bochs built with the patch
# bochs-amx.patch. BOCHS_LOG: a folder to keep logs in;
# BOCHS_APPEND=ignore_loglevel fills them.
set -euo pipefail

fail() {
  echo "run-in-bochs.sh: $*" >&2
  exit 125
}

parseArguments() {
  arguments=()
  files=()
  while (($#)); do
    if [[ $1 == --file ]]; then
      [[ $# -ge 2 ]] || fail "expected a file after --file, found nothing"
      files+=("$2")
      shift
    else
      arguments+=("$1")
    fi
    shift
  done
  ((${#arguments[@]})) || fail "expected a program, found no argument"
  local file
  for file in "${arguments[0]}" "${files[@]}"; do
    [[ -f $file ]] || fail "expected a file, found none at $file"
  done
}

# Sets kernel to a vmlinuz, downloading Debian's cloud kernel if need be.
findKernel() {
  kernel=${BOCHS_KERNEL:-}
  [[ -z $kernel ]] || return 0
  local cache=${XDG_CACHE_HOME:-$HOME/.cache}/run-in-bochs
  kernel=$cache/vmlinuz
  [[ ! -f $kernel ]] || return 0
  local package
  package=$(apt-cache depends linux-image-cloud-amd64 |
    awk '$1 == "Depends:" && $2 ~ /^linux-image/ { print $2; exit }')
  [[ -n $package ]] || fail "expected the package linux-image-cloud-amd64"
  mkdir -p "$cache"
  (cd "$work" && apt-get download "$package" && dpkg-deb -x "$package"_*.deb .) \
    >"$work/download.log" 2>&1 || fail "$(cat "$work/download.log")"
  mv "$work"/boot/vmlinuz-* "$kernel"
}

# With one of these three the kernel overwrites its own text early in the boot;
# with five levels of pages Bochs does not come back from its BIOS.
withoutFeatures='clearcpuid=rdpid,fsrm,umip no5lvl'

makeDisc() {
  local root=$work/root disc=$work/disc name
  name=$(basename "${arguments[0]}")
  mkdir -p "$root"/{dev,proc,sys,tmp,run} "$disc"
  "${CC:-clang-22}" -O1 -static -o "$root/init" \
    "$(dirname "${BASH_SOURCE[0]}")/BochsInit.c" ||
    fail "cannot build the first process of the machine"
  cp -L "${arguments[0]}" "$root/run/$name"
  chmod +x "$root/run/$name"
  ((${#files[@]} == 0)) || cp -L "${files[@]}" "$root/run/"
  printf '%s\0' "/run/$name" "${arguments[@]:1}" >"$root/arguments"
  (cd "$root" && find . | cpio --quiet -o -H newc) >"$disc/initrd"
  cp "$kernel" "$disc/vmlinuz"
  cp /usr/lib/ISOLINUX/isolinux.bin \
    /usr/lib/syslinux/modules/bios/ldlinux.c32 "$disc"
  cat >"$disc/isolinux.cfg" <<END
default linux
prompt 0
label linux
  kernel vmlinuz
  append initrd=initrd earlyprintk=serial,ttyS0,115200 \
console=ttyS0,115200 ${BOCHS_APPEND:-quiet} $withoutFeatures \
mitigations=off nokaslr \
random.trust_cpu=on tsc=reliable no_timer_check panic=-1
END
  xorriso -report_about WARNING -as mkisofs -o "$work/disc.iso" -b isolinux.bin \
    -c boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table "$disc" \
    2>"$work/xorriso.log" || fail "$(cat "$work/xorriso.log")"
}

writeConfiguration() {
  cat >"$work/bochsrc" <<END
display_library: nogui
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
cpu: model=${BOCHS_CPU:-tigerlake}, count=1, ips=100000000
memory: guest=${BOCHS_MEMORY:-1024}, host=${BOCHS_MEMORY:-1024}
ata0-master: type=cdrom, path=$work/disc.iso, status=inserted
boot: cdrom
clock: sync=none
com1: enabled=1, mode=file, dev=$work/console
com2: enabled=1, mode=file, dev=$work/stdout
com3: enabled=1, mode=file, dev=$work/stderr
com4: enabled=1, mode=file, dev=$work/exit
log: $work/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
END
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
parseArguments "$@"
findKernel
makeDisc
writeConfiguration
status=0
timeout "${BOCHS_TIMEOUT:-1800}" "${BOCHS:-bochs}" -q -f "$work/bochsrc" \
  </dev/null >"$work/bochs.out" 2>&1 || status=$?
touch "$work"/{console,stdout,stderr,exit}
if [[ -n ${BOCHS_LOG:-} ]]; then
  mkdir -p "$BOCHS_LOG"
  cp "$work"/{console,bochs.log,bochs.out} "$BOCHS_LOG" || true
fi
cat "$work/stdout"
cat "$work/stderr" >&2
[[ ! -s $work/exit ]] || exit "$(cat "$work/exit")"
tail -n 20 "$work/console" "$work/bochs.log" >&2 || true
[[ $status -ne 124 ]] || exit 124
fail "expected an exit code from the machine, found none"
