# shellcheck shell=bash
# packages.sh: the distribution's packages that Ringwall needs, by purpose. Sourced by the tools.

# To build and run. autoconf to dpkg-dev are for wolfSSL's source package.
packages_run=(g++ meson ninja-build pkg-config liburing-dev libseccomp-dev libsimdjson-dev libtomlplusplus-dev libcli11-dev libfmt-dev
  nlohmann-json3-dev libmimalloc-dev autoconf automake libtool make dpkg-dev ca-certificates)
# AES-GCM with the widest instructions of the CPU; without it wolfSSL's is used.
[[ $(uname -m) != x86_64 ]] || packages_run+=(libipsec-mb-dev)
# For tools/test. Node.js and npm are asked for by command, since other packages than the distribution's bring them too.
# cargo to librust-serde-json-dev are for the comparison with the node's JSON parser; prometheus brings promtool.
packages_test=(catch2 cargo librust-serde-derive-dev librust-serde-json-dev libssl-dev python3 python3-pytest
  python3-pytest-timeout python3-websockets python3-cryptography curl openssl clang-19 libclang-rt-19-dev iproute2 gdb
  procps libbenchmark-dev python3-yaml prometheus pebble certbot)
# For tools/kernel --qemu.
packages_qemu=(qemu-system-x86 kmod cpio)
# For tools/check.
packages_check=(clang-format-19 clang-tidy-19 shellcheck)

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "Not root and no sudo here: as root, run: $*" >&2
    return 1
  fi
}

# Prints those of its arguments that are not installed.
packages_missing() {
  local status name
  local -A installed=()
  while read -r status name; do
    [[ $status == ii* ]] && installed[$name]=1
  done < <(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null)
  for name in "$@"; do
    [[ -n ${installed[$name]:-} ]] || echo "$name"
  done
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 "$@"
}

# Installs what is missing of its arguments; says nothing when nothing is.
packages_install() {
  local missing
  mapfile -t missing < <(packages_missing "$@")
  ((${#missing[@]} > 0)) || return 0
  echo "Installing ${#missing[@]} packages: ${missing[*]}"
  if ((EUID != 0)) && command -v sudo >/dev/null; then sudo -v; fi
  step "package lists" apt_install update
  step "packages" apt_install install -y --no-install-recommends "${missing[@]}"
}
