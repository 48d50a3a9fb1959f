//! The description of this door (OpenAPI 3.1, <https://spec.openapis.org/oas/v3.1.1>), made from
//! the table of routes.

use serde_json::{Map, Value, json};

use crate::answer::{Type, schema};

use super::received::NAMES;
use super::route::{Does, Route};

/// Returns the whole description.
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in Route::all() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.verb.as_str().to_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "reflectt",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The team of this repository. Who acts: `agent` (or `from`, `by`) in the body, `?agent=`, or the header X-Reflectt-Agent; else the worktree's agent.",
        },
        "paths": paths,
        "components": {"schemas": {"Error": error()}},
    })
}

fn error() -> Value {
    let fields = [
        ("success", Type::Switch, ""),
        ("error", Type::Text, "what went wrong"),
        ("code", Type::Text, ""),
        ("status", Type::Count, ""),
        ("kind", Type::Text, "the same in reflectt's words"),
        ("hint", Type::Text, "what to do next"),
        ("hints", Type::List, ""),
        ("gate", Type::Text, "the rule that refused"),
        ("rule", Type::Text, "the same"),
    ];
    let required = ["success", "error", "code", "status", "kind", "hints"];
    Value::Object(schema(fields, required))
}

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = Vec::new();
    for name in route.path.split(['{', '}']).skip(1).step_by(2) {
        parameters.push(json!({
            "name": name, "in": "path", "required": true, "schema": {"type": "string"},
        }));
    }
    let agent = ("agent", Type::Text, "who acts");
    let acts = route.does != Does::Listens && !route.acts_in_path();
    for (name, kind, what) in route.query.iter().chain(acts.then_some(&agent)) {
        parameters.push(json!({
            "name": name, "in": "query", "description": what, "schema": kind.schema(),
        }));
    }
    let mut operation = json!({
        "summary": route.what,
        "parameters": parameters,
        "responses": {
            success(route): {"description": "done", "content": content(route)},
            "default": {
                "description": "not done, and why",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    });
    if route.takes_body() {
        operation["requestBody"] = json!({
            "required": route.required > 0,
            "content": {"application/json": {"schema": body(route)}},
        });
    }
    operation
}

fn success(route: &Route) -> &'static str {
    match route.path {
        "/reflections" => "201",
        _ => "200",
    }
}

fn content(route: &Route) -> Value {
    if route.does == Does::Listens {
        return json!({"text/event-stream": {"schema": {"type": "string"}}});
    }
    if route.path == "/board" {
        return json!({"text/markdown": {"schema": {"type": "string"}}});
    }
    let fields = route.gives.iter().map(|(name, kind)| (*name, *kind, ""));
    let required = route.gives.iter().map(|field| field.0);
    json!({"application/json": {"schema": schema(fields, required)}})
}

fn body(route: &Route) -> Value {
    let required = route.body.iter().take(route.required).map(|field| field.0);
    let mut whole = schema(route.body.iter().copied(), required);
    // Only one of the names of a field need be there.
    let renamed: Vec<&str> = route.also.iter().map(|it| it.1).collect();
    if let Some(Value::Array(names)) = whole.get_mut("required") {
        names.retain(|name| !renamed.iter().any(|it| name == it));
    }
    let Some(Value::Object(properties)) = whole.get_mut("properties") else {
        return Value::Object(whole);
    };
    for (theirs, ours) in route.also {
        let same = json!({"description": format!("the same as `{ours}`")});
        properties.insert((*theirs).to_owned(), same);
    }
    for name in NAMES.iter().chain(route.names) {
        let who = json!({"type": "string", "description": "who acts"});
        properties.insert((*name).to_owned(), who);
    }
    for name in route.dropped {
        let kept = json!({"description": "taken, and not kept"});
        properties.insert((*name).to_owned(), kept);
    }
    whole.insert("additionalProperties".to_owned(), json!(false));
    Value::Object(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_once() {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        let described: usize = paths
            .values()
            .map(|path| path.as_object().unwrap().len())
            .sum();
        assert_eq!(described, Route::all().len());
        for route in Route::all() {
            let operation = &document["paths"][route.path][route.verb.as_str().to_lowercase()];
            assert_eq!(operation["summary"], route.what);
            assert!(!route.what.is_empty(), "{}", route.path);
        }
    }

    #[test]
    fn names_of_fields_are_clear() {
        for route in Route::all() {
            for (theirs, ours) in route.also {
                assert!(
                    route.body.iter().any(|it| it.0 == *ours),
                    "{}: {ours}",
                    route.path
                );
                assert!(
                    !route.body.iter().any(|it| it.0 == *theirs),
                    "{}: {theirs}",
                    route.path
                );
            }
            for name in NAMES.iter().chain(route.names).chain(route.dropped) {
                assert!(
                    !route.body.iter().any(|it| it.0 == *name),
                    "{}: {name}",
                    route.path
                );
            }
        }
    }
}
