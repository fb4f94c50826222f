# shellcheck shell=bash
# usage.sh: prints a tool's opening comment and ends it: with 0 if that is what was asked for. Sourced by the tools.

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
  case ${1:-} in
    -h | --help) exit 0 ;;
    *) exit 1 ;;
  esac
}
