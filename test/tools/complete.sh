# SPDX-License-Identifier: Apache-2.0
# complete.sh FILE WORDS…: what a shell that has sourced FILE offers for the last
# word of the command line WORDS, one a line.
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
_gemmac
printf '%s\n' "${COMPREPLY[@]}" | sed '/^$/d'
