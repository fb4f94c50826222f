# shellcheck shell=bash
# wolfssl.sh: our own wolfSSL, from the distribution's source package with its patches. Sourced by the tools.
#
# The distribution's binary has no assembly and not the two options by which keys are taken out after the handshake. Ours
# is static, hardened, and kept in a cache directory named after all that shapes it; the system is not touched.
# What meson.build asks of it is checked there.

wolfssl_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
wolfssl_patches=("$wolfssl_here"/wolfssl-*.patch)
wolfssl_random=$wolfssl_here/wolfssl-random.h
wolfssl_cflags="-O3 -g -fPIC -fno-plt -fwrapv -fstack-protector-strong -fstack-clash-protection"

# Random bytes come from src/tls/random.cc.
# TLS 1.2 and 1.3, ECDHE with AES-GCM or ChaCha20-Poly1305, both sides, certificates made and read; nothing else.
wolfssl_options=(
  --disable-shared --enable-static --disable-examples --disable-crypttests --enable-harden
  --enable-sp --enable-sp-math-all
  --enable-tls13 --disable-oldtls --enable-ecc --enable-curve25519 --enable-hkdf --disable-hashdrbg
  --enable-aesgcm --enable-chacha --enable-poly1305
  --enable-session-ticket --enable-sni --enable-alpn --enable-ocsp --enable-ocspstapling
  --enable-secure-renegotiation-info # signalled (RFC 5746), without which OpenSSL 3 clients refuse TLS 1.2; never done
  --enable-certgen --enable-certreq --enable-certext --enable-keygen
  --enable-altcertchains # as a client: a chain may end in an authority that we don't know, if what is below leads to one
  --enable-atomicuser # with HAVE_SECRET_CALLBACK: the keys can leave
  --disable-aescbc --disable-enc-then-mac --disable-dh --disable-des3 --disable-arc4 --disable-md4 --disable-md5
  --disable-sha3 --disable-psk --disable-crl --disable-pkcs12 --disable-sys-ca-certs --disable-oldnames
)
# With the third a client of ours is asked about each server certificate, not only about those that wolfSSL finds wrong.
wolfssl_defines="-DHAVE_SECRET_CALLBACK -DWOLFSSL_TLS13_MIDDLEBOX_COMPAT -DWOLFSSL_ALWAYS_VERIFY_CB"
wolfssl_defines+=" -DCUSTOM_RAND_GENERATE_BLOCK=ringwall_random"

if [[ $(uname -m) == x86_64 ]]; then
  wolfssl_cflags+=" -fcf-protection"
  wolfssl_options+=(--enable-intelasm --enable-sp-asm)
fi

# The directory that holds include/, lib/ and lib/pkgconfig/.
wolfssl_prefix() {
  local cache=${RINGWALL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ringwall} hash
  hash=$(
    printf '%s\n' "$wolfssl_cflags" "${wolfssl_options[@]}" "$wolfssl_defines" | cat - "${wolfssl_patches[@]}" "$wolfssl_random" |
      sha256sum | cut -c1-12
  )
  (
    . /etc/os-release
    echo "$cache/wolfssl-$ID$VERSION_ID-$(uname -m)-gcc$(gcc -dumpfullversion)-$hash"
  )
}

# The newest version that the system's own package lists know of; empty if they know none.
wolfssl_version_listed() {
  apt-cache show --no-all-versions libwolfssl-dev 2>/dev/null | sed -n 's/^Version: //p' | sed 's/+b[0-9]*$//'
}

# 0 if the prefix is there and the archive has not had a newer version since it was built.
wolfssl_is_current() {
  local prefix=$1 listed
  [[ -e $prefix/source-version ]] || return 1
  listed=$(wolfssl_version_listed)
  [[ -z $listed || $listed == "$(cat "$prefix/listed-version")" ]] ||
    dpkg --compare-versions "$listed" le "$(cat "$prefix/source-version")"
}

# Writes into directory $1 the system's configured entries of the distribution's own archives, as sources: by repository
# of the signed Release file that names its Origin, so that other people's archives stay out.
wolfssl_write_sources() {
  local into=$1 origins file
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    grep -E '^(Debian|Ubuntu) ' | sort -u >"$into/../targets" || return 1
  origins=$(cut -d' ' -f2 "$into/../targets" | sort -u)
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -f $file ]] || continue
    awk -v official="$origins" '
      BEGIN { count = split(official, list); for (i = 1; i <= count; i++) ours[list[i]] = 1 }
      $1 == "deb" {
        for (i = 2; i <= NF; i++) { uri = $i; sub("/*$", "/", uri); if (uri in ours) { sub("deb", "deb-src"); print; next } }
      }' "$file" >"$into/$(basename "$file" .list).list"
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [[ -f $file ]] || continue
    awk -v official="$origins" '
      BEGIN { RS = ""; FS = "[ \t\n]+"; count = split(official, list, "[ \n]+"); for (i = 1; i <= count; i++) ours[list[i]] = 1 }
      {
        found = 0
        for (i = 1; i <= NF; i++) { uri = $i; sub("/*$", "/", uri); if (uri in ours) found = 1 }
        if (!found) next
        lines = split($0, line, "\n")
        for (i = 1; i <= lines; i++) print tolower(line[i]) ~ /^types:/ ? "Types: deb-src" : line[i]
        print ""
      }' "$file" >"$into/$(basename "$file")"
  done
}

# The suite's security archive, where the system does not name it itself: its newest patches are the point.
wolfssl_write_security_source() {
  local into=$1 origin uri suite component keyring=''
  for keyring in /usr/share/keyrings/{debian,ubuntu}-archive-keyring.{pgp,gpg} ''; do [[ -f $keyring ]] && break; done
  while read -r origin uri suite component; do
    [[ $component == main && $suite != *-* ]] || continue
    grep -q " $suite-security " "$into/../targets" && continue
    [[ $origin == Debian ]] && uri=${uri%/debian/}/debian-security
    echo "deb-src ${keyring:+[signed-by=$keyring] }$uri $suite-security main"
  done <"$into/../targets" >"$into/security.list"
}

# apt-get with sources, lists and caches of its own under directory $1. Signatures are verified as ever.
wolfssl_apt() {
  local own=$1
  shift
  apt-get -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$own/sources" -o Dir::State::lists="$own/lists" \
    -o Dir::Cache="$own/cache" -o APT::Get::AllowUnauthenticated=false "$@"
}

wolfssl_fetch() {
  local own=$1
  mkdir -p "$own"/{sources,lists/partial,cache/archives/partial,source}
  chmod 755 "$own"
  if ((EUID == 0)) && id _apt >/dev/null 2>&1; then chown -R _apt "$own"/{lists,cache,source}; fi
  if ! wolfssl_write_sources "$own/sources"; then
    # Freshly cleaned package lists: learn the origins in our own copy of them.
    apt-get -o Dir::State::lists="$own/lists" -o Dir::Cache="$own/cache" update
    echo "Dir::State::lists \"$own/lists\";" >"$own/apt.conf"
    APT_CONFIG=$own/apt.conf wolfssl_write_sources "$own/sources"
  fi
  wolfssl_write_security_source "$own/sources"
  if ! wolfssl_apt "$own" update; then
    rm "$own/sources/security.list"
    wolfssl_apt "$own" update
    echo "warning: no security archive beside the configured one: the patches may not be the newest" | tee -a "$own/warning"
  fi
  cd "$own/source"
  wolfssl_apt "$own" source --only-source wolfssl
}

# Patches of our own, where they fit: a newer source may have its own cure. What is left out is told at the end.
wolfssl_patch() {
  local own=$1 patch
  for patch in "${wolfssl_patches[@]}"; do
    if patch -p1 -F0 --dry-run --force <"$patch"; then
      patch -p1 -F0 --force <"$patch"
    else
      echo "warning: patch $(basename "$patch") does not fit this source: left out" | tee -a "$own/warning"
    fi
  done
}

wolfssl_configure() {
  cd "$1"/source/wolfssl-*/
  wolfssl_patch "$1"
  ./autogen.sh
  ./configure --prefix="$2" --libdir="$2/lib" "${wolfssl_options[@]}" CC=gcc CFLAGS="$wolfssl_cflags" \
    C_EXTRA_FLAGS="$wolfssl_defines -include $wolfssl_random"
}

# _FORTIFY_SOURCE comes here and not in CFLAGS: configure would copy it into options.h, and so into every build of ours.
wolfssl_make() {
  cd "$1"/source/wolfssl-*/
  make -j"$(nproc)" CPPFLAGS=-D_FORTIFY_SOURCE=2
}

# Into place by rename, so that a half-installed prefix is never seen.
wolfssl_install() {
  local own=$1 prefix=$2
  cd "$own"/source/wolfssl-*/
  make install DESTDIR="$own/stage"
  dpkg-parsechangelog -S Version >"$own/stage$prefix/source-version"
  wolfssl_version_listed >"$own/stage$prefix/listed-version"
  rm -rf "$own/stage$prefix/share/doc"
  [[ ! -d $prefix ]] || mv "$prefix" "$own/replaced"
  mv "$own/stage$prefix" "$prefix"
}

# Builds it unless it is there. Two that start at once wait for each other.
wolfssl_build() {
  local prefix=$1 own
  wolfssl_is_current "$prefix" && return 0
  mkdir -p "$(dirname "$prefix")"
  exec 9>"$(dirname "$prefix")/lock"
  flock -n 9 || { echo "Another build of wolfSSL is under way, waiting for it" && flock 9; }
  wolfssl_is_current "$prefix" && return 0
  own=$(mktemp -d "${TMPDIR:-/tmp}/ringwall-wolfssl.XXXXXX")
  progress_of 4
  step "wolfSSL's source package" wolfssl_fetch "$own"
  step "configuring wolfSSL" wolfssl_configure "$own" "$prefix"
  step "building wolfSSL" wolfssl_make "$own"
  step "installing wolfSSL" wolfssl_install "$own" "$prefix"
  progress_of 0
  [[ ! -e $own/warning ]] || cat "$own/warning" >&2
  rm -rf "$own"
  exec 9>&-
}
