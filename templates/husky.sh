# husky: add each line to the file named before it, and make the file if there is none.
# `reflectt hooks install --into husky` does it.
#
# .husky/pre-commit
if command -v reflectt >/dev/null; then reflectt hook pre-commit || case $? in 3 | 4 | 7) exit 1 ;; esac; else echo "reflectt: warning: not installed; claims are not checked" >&2; fi
# .husky/pre-merge-commit
if command -v reflectt >/dev/null; then reflectt hook pre-merge-commit || case $? in 3 | 4 | 7) exit 1 ;; esac; else echo "reflectt: warning: not installed; claims are not checked" >&2; fi
# .husky/commit-msg
if command -v reflectt >/dev/null; then reflectt hook commit-msg "$1" || case $? in 3 | 4 | 7) exit 1 ;; esac; else echo "reflectt: warning: not installed; claims are not checked" >&2; fi
# .husky/pre-push (first in the file: it reads the standard input)
if command -v reflectt >/dev/null; then reflectt hook pre-push "$@" || case $? in 3 | 4 | 7) exit 1 ;; esac; else echo "reflectt: warning: not installed; claims are not checked" >&2; fi
