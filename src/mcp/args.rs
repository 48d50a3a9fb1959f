//! The arguments of a call: read once, against what the tool takes.

use std::fmt::Display;
use std::str::FromStr;

use rmcp::model::JsonObject;
use serde_json::Value;

use crate::answer::{Fault, of};
use crate::model::path::PathPattern;
use crate::ops::Context;

use super::tool::{Spec, Type};

/// The arguments of one call. Those that are null count as left out.
#[derive(Debug)]
pub struct Args {
    given: JsonObject,
}

impl Args {
    /// Takes the arguments of a call.
    ///
    /// # Errors
    ///
    /// Names an argument that the tool does not take, that is of another type, or that is missing.
    pub fn read(spec: &Spec, given: Option<JsonObject>) -> Result<Args, Fault> {
        let mut given = given.unwrap_or_default();
        given.retain(|_, value| !value.is_null());
        for (name, value) in &mut given {
            let Some((_, kind, _)) = spec.takes.iter().find(|field| field.0 == name) else {
                let takes: Vec<&str> = spec.takes.iter().map(|field| field.0).collect();
                return Err(Fault::usage(format!(
                    "`{}` takes no `{}`, but {}",
                    spec.name,
                    name.escape_debug(),
                    takes.join(", ")
                )));
            };
            read_as(*kind, value).map_err(|wanted| {
                Fault::usage(format!("`{name}` of `{}` must be {wanted}", spec.name))
            })?;
        }
        let must = spec.takes.iter().take(spec.required);
        if let Some((name, ..)) = must.into_iter().find(|field| !given.contains_key(field.0)) {
            return Err(Fault::usage(format!("`{}` needs `{name}`", spec.name)));
        }
        Ok(Args { given })
    }

    /// Returns a text that is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.given.get(name)?.as_str()?;
        Some(text).filter(|text| !text.trim().is_empty())
    }

    /// Returns a text that must be there, and of which operations judge what is in it.
    pub fn whole(&self, name: &str) -> String {
        let text = self.given.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }

    pub fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    pub fn texts(&self, name: &str) -> Vec<&str> {
        let items = self.given.get(name).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    pub fn is_on(&self, name: &str) -> bool {
        self.switch(name) == Some(true)
    }

    pub fn switch(&self, name: &str) -> Option<bool> {
        self.given.get(name)?.as_bool()
    }

    pub fn count(&self, name: &str) -> Option<u64> {
        self.given.get(name)?.as_u64()
    }

    /// Returns a text as what it stands for.
    pub fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Fault> {
        self.text(name).map(|text| parse(name, text)).transpose()
    }

    /// Returns texts as what they stand for.
    pub fn all<T: FromStr<Err: Display>, C: FromIterator<T>>(
        &self,
        name: &str,
    ) -> Result<C, Fault> {
        self.texts(name)
            .into_iter()
            .map(|text| parse(name, text))
            .collect()
    }

    /// Returns paths, as they are meant in the directory of the server.
    pub fn paths(&self, ctx: &Context, name: &str) -> Result<Vec<PathPattern>, Fault> {
        let prefix = ctx.repo().prefix().map_err(|error| of(error.into()))?;
        let path = |text| PathPattern::parse_in(text, prefix).map_err(|error| of(error.into()));
        self.texts(name).into_iter().map(path).collect()
    }
}

fn parse<T: FromStr<Err: Display>>(name: &str, text: &str) -> Result<T, Fault> {
    text.parse()
        .map_err(|error| Fault::usage(format!("`{name}`: {error}")))
}

/// Brings a value into the form its type has; models give one text for a list of one.
fn read_as(kind: Type, value: &mut Value) -> Result<(), String> {
    let fits = match kind {
        Type::Text => value.is_string(),
        Type::One(choices) => {
            if !value.as_str().is_some_and(|text| choices.contains(&text)) {
                return Err(format!("one of {}", choices.join(", ")));
            }
            true
        }
        Type::Texts => {
            if value.is_string() {
                *value = Value::Array(vec![value.take()]);
            }
            let items = value.as_array();
            items.is_some_and(|items| items.iter().all(Value::is_string))
        }
        Type::Count => value.is_u64(),
        Type::Switch => value.is_boolean(),
        Type::Object => value.is_object(),
        Type::List => value.is_array(),
    };
    let wanted = match kind {
        Type::Text | Type::One(_) => "a text",
        Type::Texts => "a list of texts",
        Type::Count => "a whole number that is not negative",
        Type::Switch => "true or false",
        Type::Object => "an object",
        Type::List => "a list",
    };
    if fits { Ok(()) } else { Err(wanted.to_owned()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(tool: &str, given: Value) -> Result<Args, String> {
        let spec = Spec::named(tool).unwrap();
        let given = given.as_object().cloned();
        Args::read(spec, given).map_err(|fault| fault.message().to_owned())
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
