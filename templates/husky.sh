# husky: add each line to the file named before it, and make the file if there is none.
#
# .husky/pre-commit
reflectt hook pre-commit
# .husky/pre-merge-commit
reflectt hook pre-merge-commit
# .husky/commit-msg
reflectt hook commit-msg "$1"
# .husky/pre-push (first in the file: it reads the standard input)
reflectt hook pre-push "$@"
