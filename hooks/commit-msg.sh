# >>> reflectt >>> [@KIND@] by `reflectt hooks install`; `reflectt hooks uninstall` takes it out
reflectt=@REFLECTT@
[ -x "$reflectt" ] || reflectt=$(command -v reflectt) || reflectt=
reflectt_code=0
if [ -n "$reflectt" ]; then
    "$reflectt" hook commit-msg "$@" </dev/null || reflectt_code=$?
else
    reflectt_code=127
fi
case $reflectt_code in
0) ;;
3 | 4 | 7) exit "$reflectt_code" ;;
*) ;; # The hook before this one has said so.
esac
# <<< reflectt <<<
