//! The arguments of a call: read once, against what the tool takes.

use rmcp::model::JsonObject;

use crate::answer::{Args, Fault};

use super::tool::Spec;

/// Takes the arguments of a call of this tool.
///
/// # Errors
///
/// Names an argument that the tool does not take, that is of another type, or that is missing.
pub fn read(spec: &Spec, given: Option<JsonObject>) -> Result<Args, Fault> {
    Args::read(
        spec.name,
        spec.takes,
        spec.required,
        given.unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(tool: &str, given: Value) -> Result<Args, String> {
        let spec = Spec::named(tool).unwrap();
        let given = given.as_object().cloned();
        super::read(spec, given).map_err(|fault| fault.message().to_owned())
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let wrong = |tool, given| read(tool, given).unwrap_err();
        assert_eq!(
            wrong("show", json!({"task": "a"})),
            "`show` takes no `task`, but id"
        );
        assert_eq!(wrong("show", json!({})), "`show` needs `id`");
        assert_eq!(wrong("show", json!({"id": null})), "`show` needs `id`");
        assert_eq!(
            wrong("show", json!({"id": 7})),
            "`id` of `show` must be a text"
        );
        assert_eq!(
            wrong("status", json!({"wait_seconds": -1})),
            "`wait_seconds` of `status` must be a whole number that is not negative"
        );
        assert_eq!(
            wrong("new_task", json!({"title": "t", "priority": "high"})),
            "`priority` of `new_task` must be one of P0, P1, P2, P3"
        );
        assert_eq!(
            wrong("land", json!({"ids": ["a", 1]})),
            "`ids` of `land` must be a list of texts"
        );
    }

    #[test]
    fn one_text_stands_for_a_list_of_one() {
        let args = read("land", json!({"ids": "k3f9", "dry_run": null})).unwrap();
        assert_eq!(args.texts("ids"), ["k3f9"]);
        assert_eq!(args.switch("dry_run"), None);
    }
}
