# shellcheck shell=bash
# kernel.sh: a kernel with TLS out of a package, and a machine that runs one command under it. Sourced by tools/kernel.

kernel_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
kernel_package=user-mode-linux
# In this order; what each depends on is known to its modules.dep, and names that a kernel has no more are passed over.
# Ciphers are looked up by the names of algorithms, which nobody loads by himself where there is no modprobe: without
# chacha_generic (chacha since 7.0) keys of ChaCha20 give ENOENT.
kernel_modules=(overlay ipv6 ctr gcm ghash-generic ccm chacha_generic chacha poly1305_generic chacha20poly1305 tls)

kernel_share_options=trans=virtio,version=9p2000.L,cache=loose,msize=262144

kernel_own_suite() {
  (. /etc/os-release && echo "${VERSION_CODENAME:-$ID}")
}

# In place of the above: the same for QEMU, in which a distribution's ordinary kernel runs.
kernel_for_qemu() {
  kernel_package=linux-image-amd64
  kernel_modules=(virtio_pci 9pnet_virtio 9p aesni-intel "${kernel_modules[@]}")
}

# The newest version that the system's own package lists know of; empty if they know none.
kernel_version_listed() {
  apt-cache show --no-all-versions "$kernel_package" 2>/dev/null | sed -n 's/^Version: //p'
}

# Of what is in the cache: $1 is all of a path but the version.
kernel_newest() {
  local newest='' path version
  for path in "$1"*; do
    [[ -d $path ]] || continue
    version=${path#"$1"}
    if [[ -z $newest ]] || dpkg --compare-versions "$version" gt "$newest"; then newest=$version; fi
  done
  echo "$newest"
}

# The archive of another suite than the system's, from the same mirror.
kernel_write_source() {
  local suite=$1 into=$2 mirror keyring=''
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
    sed -n 's,^Debian \(.*/debian/\)$,\1,p' | head -n 1)
  for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg} ''; do [[ -f $keyring ]] && break; done
  echo "deb ${keyring:+[signed-by=$keyring] }${mirror:-http://deb.debian.org/debian/} $suite main" >"$into/$suite.list"
}

# Into directory $2, with package lists of its own: the system's may be old, or there may be none.
kernel_download() {
  local suite=$1 own=$2 apt packages=("$kernel_package")
  mkdir -p "$own"/{sources,lists/partial,cache/archives/partial,package}
  chmod 755 "$own"
  if ((EUID == 0)) && id _apt >/dev/null 2>&1; then chown -R _apt "$own"/{lists,cache,package}; fi
  apt=(-o "Dir::State::lists=$own/lists" -o "Dir::Cache=$own/cache" -o APT::Get::AllowUnauthenticated=false)
  if [[ $suite != "$(kernel_own_suite)" ]]; then
    kernel_write_source "$suite" "$own/sources"
    apt+=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$own/sources")
    [[ $kernel_package != user-mode-linux ]] || packages+=(libc6) # It asks for that suite's.
  fi
  apt-get "${apt[@]}" update
  if [[ $kernel_package == linux-image-* ]]; then # It only says which package has the kernel.
    mapfile -t -O 1 packages < <(apt-cache "${apt[@]}" depends "$kernel_package" | sed -n 's/^ *Depends: \(linux-image-\)/\1/p')
  fi
  cd "$own/package"
  apt-get "${apt[@]}" download "${packages[@]}"
  for package in *.deb; do dpkg -x "$package" "$own/unpacked"; done
  dpkg-deb -f "$kernel_package"_*.deb Version >"$own/version"
  case ${packages[*]:1} in
    libc6) kernel_use_own_libc "$own/unpacked" ;;
    linux-image-*) kernel_order_modules "$own/unpacked" ;;
  esac
}

# Prints the folder of the modules in the unpacked package $1, wherever that suite has it.
kernel_module_folder() {
  local folder
  for folder in "$1"/usr/lib/uml/modules/* "$1"/lib/modules/* "$1"/usr/lib/modules/*; do
    if [[ -d $folder ]]; then echo "$folder" && return; fi
  done
}

# Writes the modules.dep that such a package leaves to its installation.
kernel_order_modules() {
  [[ -d $1/lib ]] || ln -s usr/lib "$1/lib"
  PATH=$PATH:/usr/sbin depmod -b "$1" "$(basename "$(kernel_module_folder "$1")")"
}

# The kernel executes itself again by name, so that it cannot be given to another loader: the loader's path within it is
# made one in the current folder, of the same length.
kernel_use_own_libc() {
  LC_ALL=C sed -i 's,/lib64/ld-linux-x86-64\.so\.2,./ld-linux-x86-64.so.2\x00\x00\x00\x00\x00,' "$1/usr/bin/linux.uml"
}

# Prints the folder that holds the unpacked package of suite $1, after getting it if there is none, or a newer one in the
# system's own suite. By rename, so that no half of it is ever seen.
kernel_get() {
  local suite=$1 cache=${RINGWALL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ringwall} base have listed='' own status
  base=$cache/$kernel_package-$suite-
  mkdir -p "$cache"
  exec 9>"$cache/kernel-lock"
  flock 9
  have=$(kernel_newest "$base")
  [[ $suite != "$(kernel_own_suite)" ]] || listed=$(kernel_version_listed)
  if [[ -z $have ]] || { [[ -n $listed ]] && dpkg --compare-versions "$listed" gt "$have"; }; then
    own=$(mktemp -d "${TMPDIR:-/tmp}/ringwall-kernel.XXXXXX")
    set +e # Not tested in place: bash ignores `set -e` in a command whose failure is.
    (set -e && kernel_download "$suite" "$own") >"$own.log" 2>&1 </dev/null
    status=$?
    set -e
    if ((status == 0)); then
      have=$(cat "$own/version")
      rm -rf "$base$have"
      mv "$own/unpacked" "$base$have"
    elif [[ -z $have ]]; then
      tail -n 5 "$own.log" >&2
      echo "no kernel with TLS: the package $kernel_package of $suite cannot be had" >&2
    fi
    rm -rf "$own" "$own.log"
  fi
  exec 9>&-
  [[ -n $have ]] && echo "$base$have"
}

# Compiles $1.c, with the options that follow, into build/kernel/$1, if that is older. By rename, since two may do it.
kernel_compile() {
  local source=$kernel_root/tests/kernel/$1.c program=$kernel_root/build/kernel/$1
  shift
  [[ ! $program -nt $source ]] || return 0
  mkdir -p "$kernel_root/build/kernel"
  gcc -std=c17 -O2 -Wall -Wextra "$@" "$source" -o "$program.$$"
  mv "$program.$$" "$program"
}

# The machine's first process, and what its kernel is started with.
kernel_programs() {
  kernel_compile init -static
  kernel_compile xstate -shared -fPIC
}

# The files of the modules and of what they depend on, in the order in which they are to be loaded.
kernel_module_files() {
  local folder name
  folder=$(kernel_module_folder "$1")
  for name in "${kernel_modules[@]}"; do
    # A line of modules.dep is `module: needed…`, the last one to be loaded first. Names mix - and _.
    awk -v folder="$folder" -v name="${name//-/_}" -F '[: ]+' '
      { base = $1; sub(".*/", "", base); sub("\\.ko.*", "", base); gsub("-", "_", base) }
      base == name { for (i = NF; i >= 1; i--) if ($i != "") print folder "/" $i; exit }' "$folder/modules.dep"
  done | awk '!seen[$0]++'
}

kernel_write_job() {
  local kernel=$1 job=$2 folder tag=0
  shift 2
  {
    kernel_module_files "$kernel" | sed 's/^/module /'
    [[ $kernel_package == user-mode-linux ]] || echo "root 9p host $kernel_share_options"
    echo "scratch $kernel_root"
    for folder in "$job" "$@"; do
      if [[ $kernel_package == user-mode-linux ]]; then
        echo "writable hostfs none $folder $folder"
      else
        echo "writable 9p share$((tag++)) $kernel_share_options $folder"
      fi
    done
  } >"$job/job"
}

# With this process's environment, but for what names folders that the machine has none of; tests/e2e/run asks whether
# there is a network.
kernel_write_command() {
  local job=$1
  shift
  {
    echo '#!/bin/bash'
    (unset TMPDIR XDG_RUNTIME_DIR && export RINGWALL_NO_NETWORK=1 && export -p)
    printf 'cd %q\nexec' "$PWD"
    printf ' %q' "$@"
    echo
  } >"$job/command"
  chmod 755 "$job/command"
}

# Prints where the machine's memory of $1 is to be a file: on no disk, unless /dev/shm is as small as containers have it,
# or forbids execution, which the kernel of user mode does there.
kernel_memory_folder() {
  local need_kib
  need_kib=$(($(numfmt --from=iec "$1") / 1024))
  if [[ -w /dev/shm && ,$(findmnt -no OPTIONS -T /dev/shm), != *,noexec,* ]] &&
    (($(df -k --output=avail /dev/shm | tail -n 1) > need_kib)); then
    echo /dev/shm
  else
    echo "${TMPDIR:-/tmp}"
  fi
}

# The current folder is where a kernel of another suite finds its loader. seccomp=auto is for kernels from 6.16 on, whose
# system calls and page faults then cost a fraction of ptrace's.
kernel_boot() {
  local kernel=$1 job=$2 memory=$3 limit_s=$4 folder libraries
  folder=$(kernel_memory_folder "$memory")
  libraries=$kernel/usr/lib/x86_64-linux-gnu
  if [[ -d $libraries ]]; then cd "$libraries"; else libraries=''; fi
  timeout --kill-after=5 "$limit_s" env "TMPDIR=$folder" "LD_PRELOAD=$kernel_root/build/kernel/xstate" \
    ${libraries:+"LD_LIBRARY_PATH=$libraries"} "$kernel/usr/bin/linux.uml" "mem=$memory" seccomp=auto rootfstype=hostfs \
    rootflags=/ ro con0=null,fd:1 con=null quiet loglevel=1 "uml_dir=$job/" umid=machine \
    "init=$kernel_root/build/kernel/init" "job=$job" </dev/null
}

# The first processes' world, before it has the host's file system: itself, the job, the modules. Writes it to $2/initramfs.
kernel_pack_initramfs() {
  local kernel=$1 job=$2 modules
  mkdir "$job/first"
  cp "$kernel_root/build/kernel/init" "$job/first/init"
  mapfile -t modules < <(kernel_module_files "$kernel")
  cp --parents "${modules[@]}" "$job/job" "$job/first/"
  (cd "$job/first" && find . | cpio --quiet -o -H newc) >"$job/initramfs"
  rm -r "$job/first"
}

# The same in QEMU, without the host's own virtualization, which a machine that is itself virtual has seldom.
kernel_boot_qemu() {
  local kernel=$1 job=$2 memory=$3 limit_s=$4 folder shares=()
  shift 4
  for folder in "$job" "$@"; do
    shares+=(-virtfs "local,path=$folder,mount_tag=share$((${#shares[@]} / 2)),security_model=none,multidevs=remap")
  done
  kernel_pack_initramfs "$kernel" "$job"
  timeout --kill-after=5 "$limit_s" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m "$memory" -nodefaults \
    -display none -serial stdio -no-reboot -kernel "$kernel"/boot/vmlinuz-* -initrd "$job/initramfs" \
    -append "console=ttyS0 quiet loglevel=1 panic=-1 job=$job" \
    -virtfs local,path=/,mount_tag=host,security_model=none,multidevs=remap,readonly=on "${shares[@]}" </dev/null
}
