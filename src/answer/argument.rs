//! What a call of a door is given by name: its types, how they are described, and reading them.
//!
//! An argument is read once, against what the operation takes; what is wrong is said by its name.

use std::fmt::Display;
use std::str::FromStr;

use serde_json::{Map, Value, json};

use crate::model::path::PathPattern;
use crate::ops::Context;

use super::{Fault, of};

/// The type of an argument or of a field of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Text,
    Texts,
    /// Not negative.
    Count,
    Switch,
    One(&'static [&'static str]),
    Object,
    List,
}

/// An argument: name, type and what a model cannot guess from both.
pub type Field = (&'static str, Type, &'static str);

/// The arguments of one call. Those that are null count as left out.
#[derive(Debug)]
pub struct Args {
    given: Map<String, Value>,
}

impl Args {
    /// Takes the arguments of a call.
    ///
    /// # Errors
    ///
    /// Names an argument that the tool does not take, that is of another type, or that is missing.
    pub fn read(
        of: &str,
        takes: &[Field],
        required: usize,
        mut given: Map<String, Value>,
    ) -> Result<Args, Fault> {
        given.retain(|_, value| !value.is_null());
        for (name, value) in &mut given {
            let Some((_, kind, _)) = takes.iter().find(|field| field.0 == name) else {
                let takes: Vec<&str> = takes.iter().map(|field| field.0).collect();
                return Err(Fault::usage(format!(
                    "`{}` takes no `{}`, but {}",
                    of,
                    name.escape_debug(),
                    takes.join(", ")
                )));
            };
            read_as(*kind, value)
                .map_err(|wanted| Fault::usage(format!("`{name}` of `{of}` must be {wanted}")))?;
        }
        let must = takes.iter().take(required);
        if let Some((name, ..)) = must.into_iter().find(|field| !given.contains_key(field.0)) {
            return Err(Fault::usage(format!("`{of}` needs `{name}`")));
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

    pub fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    pub fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.given.get(name)?.as_object()
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

/// Returns the schema of an object: by hand, as what generators write is refused by some.
pub fn schema<'f>(
    fields: impl IntoIterator<Item = (&'f str, Type, &'f str)>,
    required: impl IntoIterator<Item = &'f str>,
) -> Map<String, Value> {
    let mut properties = Map::new();
    for (name, kind, what) in fields {
        let mut property = kind.schema();
        if !what.is_empty() {
            property.insert("description".to_owned(), what.into());
        }
        properties.insert(name.to_owned(), property.into());
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    let required: Vec<Value> = required.into_iter().map(Value::from).collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema
}

impl Type {
    /// Returns the schema of a value of this type.
    pub fn schema(self) -> Map<String, Value> {
        let name = |name: &str| Map::from_iter([("type".to_owned(), Value::from(name))]);
        match self {
            Type::Text => name("string"),
            Type::Count => name("integer"),
            Type::Switch => name("boolean"),
            Type::Object => name("object"),
            Type::List => name("array"),
            Type::Texts => {
                let mut list = name("array");
                list.insert("items".to_owned(), json!({"type": "string"}));
                list
            }
            Type::One(choices) => {
                let mut one = name("string");
                one.insert("enum".to_owned(), json!(choices));
                one
            }
        }
    }
}
