//! What a request carries: its query, its body, and who makes it. Read once, by the names that its
//! route has for each field; those of the original server are brought to ours.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use axum::extract::Query as Pairs;
use axum::http::{HeaderMap, Uri};
use serde_json::{Map, Value};

use crate::answer::Args;
use crate::model::name::AgentName;

use super::Who;
use super::problem::Problem;
use super::route::{Does, Route};

/// The header that names who acts.
pub const AGENT_HEADER: &str = "x-reflectt-agent";
/// The fields of every body that name who acts.
pub const NAMES: [&str; 3] = ["agent", "from", "by"];
/// What clients of the original server say where they mean nobody.
const NOBODY: [&str; 2] = ["", "unassigned"];

/// What a request carries.
#[derive(Debug)]
pub struct Received {
    pub query: Query,
    pub args: Args,
    /// Fields given as null, and `unassigned`: what is to be cleared.
    pub cleared: BTreeSet<String>,
    pub who: Option<AgentName>,
    /// What was taken and is not kept.
    pub notes: Vec<String>,
}

/// The parameters of a query, of which each may come several times.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    ///
    /// If it is not text.
    pub fn of(uri: &Uri) -> Result<Query, Problem> {
        let pairs = Pairs::<Vec<(String, String)>>::try_from_uri(uri);
        match pairs {
            Ok(Pairs(pairs)) => Ok(Query(pairs)),
            Err(_) => Err(Problem::bad("the query cannot be read")),
        }
    }

    /// Returns a parameter that is not empty.
    pub fn get<'q>(&'q self, name: &str) -> Option<&'q str> {
        let named = self.0.iter().filter(|(key, _)| key == name);
        let mut values = named.map(|(_, value)| value.trim());
        values.find(|value| !value.is_empty())
    }

    /// Returns a parameter each time it is there; several may be in one, with commas.
    pub fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        let words = named.flat_map(|(_, value)| value.split(','));
        words.map(str::trim).filter(|value| !value.is_empty())
    }

    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|it| it == "1" || it == "true")
    }

    /// Returns a parameter as what it stands for.
    pub fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.get(name).map(|text| parse(name, text)).transpose()
    }

    /// Returns how many are asked for: `usual` if that is not said, and never more than `max`.
    pub fn limit(&self, usual: usize, max: usize) -> Result<usize, Problem> {
        Ok(self.parsed("limit")?.unwrap_or(usual).min(max))
    }

    fn unknown<'q>(&'q self, route: &'q Route) -> impl Iterator<Item = &'q str> {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        names.filter(|name| *name != "agent" && !route.query.iter().any(|it| it.0 == *name))
    }
}

fn parse<T: FromStr<Err: Display>>(name: &str, text: &str) -> Result<T, Problem> {
    let wrong = |error| Problem::bad(format!("`{name}`: {error}"));
    text.parse().map_err(wrong)
}

impl Received {
    /// Reads a request. `named` is whom the path names as the one who acts.
    ///
    /// # Errors
    ///
    /// Says where the body is no JSON, which fields the route does not have, what has the wrong
    /// type, what is missing; and that several agents are named as the one who acts.
    pub fn read(
        route: &Route,
        uri: &Uri,
        headers: &HeaderMap,
        named: Option<&str>,
        body: &[u8],
    ) -> Result<Received, Problem> {
        let query = Query::of(uri)?;
        let mut notes: Vec<String> = (query.unknown(route))
            .map(|name| {
                let (method, path) = (route.verb.as_str(), route.path);
                format!("{method} {path} has no parameter `{}`", name.escape_debug())
            })
            .collect();
        let mut names: Vec<(&str, String)> = Vec::new();
        names.extend(named.map(|name| ("the path", name.to_owned())));
        for value in headers.get_all(AGENT_HEADER) {
            let name = value.to_str();
            let name = name.map_err(|_| Problem::bad("`X-Reflectt-Agent` names no agent"))?;
            names.push(("`X-Reflectt-Agent`", name.to_owned()));
        }
        if route.does != Does::Listens {
            names.extend(
                query
                    .get("agent")
                    .map(|name| ("`?agent=`", name.to_owned())),
            );
        }
        let mut given = match route.takes_body() {
            true => object(body)?,
            false => Map::new(),
        };
        let said = NAMES
            .iter()
            .filter(|_| route.takes_body())
            .chain(route.names);
        for name in said {
            let value = given.remove(*name);
            match (&value, route.path) {
                (Some(Value::String(text)), _) if !is_nobody(name, text) => {
                    names.push((name, text.clone()));
                }
                (None | Some(Value::Null | Value::String(_)), _) => {}
                (Some(_), _) => return Err(Problem::bad(format!("`{name}` must be a text"))),
            }
        }
        let mut cleared = BTreeSet::new();
        rename(route, &mut given)?;
        given.retain(|name, value| {
            if route.dropped.contains(&name.as_str()) {
                let says = !value.is_null();
                notes.extend(says.then(|| format!("`{name}` is not kept")));
                return false;
            }
            let text = value.as_str();
            let clears = name == "assignee" && text.is_some_and(|it| NOBODY.contains(&it));
            if value.is_null() || clears {
                cleared.insert(name.clone());
            }
            !clears
        });
        if names.is_empty()
            && let Some(name) = route.stands_for(&given)
        {
            names.push(("`assignee`", name.to_owned()));
            given.remove("assignee");
        }
        let of = format!("{} {}", route.verb.as_str(), route.path);
        let takes: Vec<_> = route.body.to_vec();
        let args = Args::read(&of, &takes, route.required, given)?;
        Ok(Received {
            query,
            args,
            cleared,
            who: one(&names)?,
            notes,
        })
    }

    /// Returns as whom the repository is opened.
    pub fn who(&self, route: &Route) -> Who {
        match (&self.who, route.does) {
            (Some(name), _) => Who::Agent(name.clone()),
            (None, Does::Looks | Does::Listens) => Who::Nobody,
            (None, _) => Who::OfTheWorktree,
        }
    }
}

/// Whoever makes a task is `user` for clients that know no better.
fn is_nobody(field: &str, text: &str) -> bool {
    text.is_empty() || (field == "createdBy" && text == "user")
}

/// Returns the one that all of them name.
fn one(names: &[(&str, String)]) -> Result<Option<AgentName>, Problem> {
    let Some((place, first)) = names.first() else {
        return Ok(None);
    };
    let bare = |name: &str| name.strip_prefix('@').unwrap_or(name).to_owned();
    for (other, name) in names {
        if bare(name) != bare(first) {
            return Err(Problem::forbidden(format!(
                "{place} names `{}` as the one who acts, and {other} `{}`",
                first.escape_debug(),
                name.escape_debug()
            )));
        }
    }
    if bare(first) == "system" {
        let message = "`system` speaks for nobody";
        return Err(Problem::new(403, "SENDER_RESERVED", message));
    }
    parse(place.trim_matches('`'), &bare(first)).map(Some)
}

/// Reads a body: an object, or nothing.
fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Problem::bad("the body must be a JSON object")),
        Err(error) => Err(Problem::bad(format!("the body is no JSON: {error}"))
            .with("line", error.line())
            .with("column", error.column())),
    }
}

/// Brings other names of fields to ours.
fn rename(route: &Route, given: &mut Map<String, Value>) -> Result<(), Problem> {
    for (theirs, ours) in route.also {
        let Some(value) = given.remove(*theirs) else {
            continue;
        };
        if given.get(*ours).is_some_and(|have| *have != value) {
            return Err(Problem::bad(format!(
                "`{theirs}` and `{ours}` are the same, and differ"
            )));
        }
        given.insert((*ours).to_owned(), value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::web::route::Route;

    fn read(verb: &str, path: &str, uri: &str, body: &str) -> Result<Received, Value> {
        let route = Route::all()
            .iter()
            .find(|it| it.path == path && it.verb.as_str() == verb);
        let uri = uri.parse().unwrap();
        let read = Received::read(
            route.unwrap(),
            &uri,
            &HeaderMap::new(),
            None,
            body.as_bytes(),
        );
        read.map_err(|problem| problem.to_json())
    }

    #[test]
    fn the_names_of_the_original_are_ours() {
        let body = json!({"title": "t", "description": "d", "assignee": "unassigned",
            "createdBy": "user", "blocked_by": ["k3f9x2"], "eta": "1h"});
        let read = read("POST", "/tasks", "/tasks?x=1", &body.to_string()).unwrap();
        assert_eq!(read.args.text("body"), Some("d"));
        assert_eq!(read.args.texts("after"), ["k3f9x2"]);
        assert!(read.cleared.contains("assignee"));
        assert_eq!(read.who, None);
        assert_eq!(
            read.notes,
            ["POST /tasks has no parameter `x`", "`eta` is not kept"]
        );
    }

    #[test]
    fn who_acts_is_said_once_or_alike() {
        let who = |uri, body| read("POST", "/chat/messages", uri, body).map(|it| it.who);
        let kai = Some("kai".parse().unwrap());
        assert_eq!(
            who("/", r#"{"content": "x", "from": "kai"}"#),
            Ok(kai.clone())
        );
        assert_eq!(
            who("/?agent=kai", r#"{"content": "x", "by": "@kai"}"#),
            Ok(kai)
        );
        assert_eq!(who("/", r#"{"content": "x"}"#), Ok(None));
        let refused = |body| read("POST", "/chat/messages", "/?agent=kai", body).unwrap_err();
        assert_eq!(
            refused(r#"{"content": "x", "from": "link"}"#)["status"],
            403
        );
        assert_eq!(refused(r#"{"content": "x", "from": 7}"#)["status"], 400);
        let system = read(
            "POST",
            "/chat/messages",
            "/",
            r#"{"content": "x", "from": "system"}"#,
        );
        assert_eq!(system.unwrap_err()["code"], "SENDER_RESERVED");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |body| read("POST", "/tasks", "/", body).unwrap_err();
        let place = wrong("{\"title\": \"t\",\n  oops}");
        assert_eq!((&place["line"], &place["column"]), (&json!(2), &json!(3)));
        assert_eq!(place["status"], 400);
        let unknown = wrong(r#"{"title": "t", "tilte": "x"}"#);
        assert!(
            unknown["error"].as_str().unwrap().contains("`tilte`"),
            "{unknown}"
        );
        assert!(wrong("[1]")["error"].as_str().unwrap().contains("object"));
        assert!(wrong("{}")["error"].as_str().unwrap().contains("`title`"));
        let twice = wrong(r#"{"title": "t", "body": "a", "description": "b"}"#);
        assert!(
            twice["error"].as_str().unwrap().contains("`description`"),
            "{twice}"
        );
    }
}
