# >>> reflectt >>> [@KIND@] by `reflectt hooks install`; `reflectt hooks uninstall` takes it out
reflectt=@REFLECTT@
[ -x "$reflectt" ] || reflectt=$(command -v reflectt) || reflectt=
reflectt_code=0
# The lines that git writes are read here, and given again to what follows.
reflectt_input=$(cat && echo .)
reflectt_input=${reflectt_input%.}
if [ -n "$reflectt" ]; then
    printf %s "$reflectt_input" | "$reflectt" hook pre-push "$@" || reflectt_code=$?
else
    reflectt_code=127
fi
case $reflectt_code in
0) ;;
3 | 4 | 7) exit "$reflectt_code" ;;
*) echo "reflectt: warning: pre-push could not run ($reflectt_code); claims are not checked" >&2 ;;
esac
@LFS@
case $reflectt_input in
'') exec </dev/null ;;
*) exec <<REFLECTT_INPUT
${reflectt_input%?}
REFLECTT_INPUT
    ;;
esac
# <<< reflectt <<<
