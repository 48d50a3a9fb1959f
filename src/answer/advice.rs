//! Advice as a command line, which is how people, and `--json`, have always been given it.

use crate::model::advice::{Advice, Argument, Call, Value};

/// Returns the command to run, and what for.
pub fn command_line(advice: &Advice) -> String {
    worded(advice, line)
}

/// Returns what to do in a door's own words for a call, and what for.
pub fn worded(advice: &Advice, word: impl Fn(&Call) -> String) -> String {
    match advice {
        Advice::Text(text) => text.clone(),
        Advice::Call { call, why: None } => word(call),
        Advice::Call {
            call,
            why: Some(why),
        } => format!("{} ({why})", word(call)),
    }
}

/// Returns the command to run.
pub fn line(call: &Call) -> String {
    let mut line = format!("reflectt {}", call.operation);
    for argument in &call.arguments {
        line.push(' ');
        line.push_str(&word(argument));
    }
    line
}

fn word(argument: &Argument) -> String {
    let name = argument.name.replace('_', "-");
    match (&argument.value, argument.placed) {
        (Value::Given(value), true) => value.clone(),
        (Value::Asked(what), true) => (*what).to_owned(),
        (Value::Given(value), false) => format!("--{name} {value}"),
        (Value::Asked(what), false) => format!("--{name} {what}"),
        (Value::AskedForEach(count), _) => {
            let one = |number: usize| format!("--{name} {number}=TEXT");
            match *count {
                few @ 0..=3 => (1..=few).map(one).collect::<Vec<_>>().join(" "),
                many => format!("{} … {}", one(1), one(many)),
            }
        }
        (Value::On, _) => format!("--{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_a_command_to_run() {
        let take = Call::to("claim").on("id", "k3f9x2").flag("take_over");
        let take = take.ask("reason", "TEXT").so("only if the holder is gone");
        assert_eq!(
            command_line(&take),
            "reflectt claim k3f9x2 --take-over --reason TEXT (only if the holder is gone)"
        );
        let send = Call::to("send").on("to", "kai").on_some("text", "TEXT");
        assert_eq!(command_line(&send.into()), "reflectt send kai TEXT");
        assert_eq!(command_line(&"git init".into()), "git init");
        let submit = |count| line(&Call::to("submit").ask_for_each("evidence", count));
        assert_eq!(submit(0), "reflectt submit");
        assert_eq!(
            submit(2),
            "reflectt submit --evidence 1=TEXT --evidence 2=TEXT"
        );
        assert_eq!(
            submit(9),
            "reflectt submit --evidence 1=TEXT … --evidence 9=TEXT"
        );
    }
}
