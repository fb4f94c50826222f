# shellcheck shell=bash
# usage.sh: how a tool is called. Sourced by the tools.

# Prints the tool's opening comment and ends it: with 0 if that is what was asked for.
usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
  case ${1:-} in
    -h | --help) exit 0 ;;
    *) exit 1 ;;
  esac
}

# Ends the tool if the option $1 is the last word: it takes a value.
usage_value() {
  (($# > 1)) || {
    echo "tools/${0##*/}: $1 needs a value" >&2
    usage "$1" >&2
  }
}
