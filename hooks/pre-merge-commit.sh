# >>> reflectt >>> [@KIND@] by `reflectt hooks install`; `reflectt hooks uninstall` takes it out
reflectt=@REFLECTT@
[ -x "$reflectt" ] || reflectt=$(command -v reflectt) || reflectt=
reflectt_code=0
if [ -n "$reflectt" ]; then
    "$reflectt" hook pre-merge-commit "$@" </dev/null || reflectt_code=$?
else
    reflectt_code=127
fi
case $reflectt_code in
0) ;;
3 | 4 | 7) exit "$reflectt_code" ;;
*) echo "reflectt: warning: pre-merge-commit could not run ($reflectt_code); claims are not checked" >&2 ;;
esac
# <<< reflectt <<<
