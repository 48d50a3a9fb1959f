//! Who may call: programs of this machine, and pages that this server gave.
//!
//! A browser runs what any site gives it, and can reach this machine. It says where a request comes
//! from (`Origin`, `Sec-Fetch-Site`: <https://www.w3.org/TR/fetch-metadata/>), and a name that was
//! made to point here (DNS rebinding) stands in `Host`. Other programs of the user could change the
//! repository directly, so they are asked for nothing.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};

use super::problem::Problem;

/// Whose requests are answered.
#[derive(Debug)]
pub struct Guard {
    /// The host that was asked for beside those of this machine, in lower case.
    pub host: Option<String>,
    /// Whether any address will do, but no other name: it listens on all there are.
    pub any_address: bool,
    pub token: Option<String>,
}

impl Guard {
    /// Refuses a request that may not be answered, whatever it asks for.
    pub fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = match (hosts.next().map(|host| host.to_str()), hosts.next()) {
            (Some(Ok(host)), None) => host,
            _ => return Err(Problem::bad("a request names one `Host`")),
        };
        let named = uri.authority().map(axum::http::uri::Authority::as_str);
        for host in [Some(host), named].into_iter().flatten() {
            if !self.is_ours(host) {
                return Err(Problem::forbidden(format!(
                    "`{}` is not served here, but 127.0.0.1 and localhost",
                    host.escape_debug()
                )));
            }
        }
        for origin in headers.get_all(header::ORIGIN) {
            let ours = |origin: &str| {
                let rest = origin.strip_prefix("http://");
                rest.is_some_and(|it| it.eq_ignore_ascii_case(host))
            };
            if !origin.to_str().is_ok_and(ours) {
                return Err(Problem::forbidden("pages of other origins are refused"));
            }
        }
        for site in headers.get_all("sec-fetch-site") {
            if site != "same-origin" && site != "none" {
                return Err(Problem::forbidden("pages of other sites are refused"));
            }
        }
        match &self.token {
            Some(token) if !is_given(headers, token) => Err(Problem::unauthorized()),
            _ => Ok(()),
        }
    }

    fn is_ours(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        let address = name.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let address = address.unwrap_or(&name).parse::<IpAddr>();
        ["127.0.0.1", "localhost", "[::1]"].contains(&name.as_str())
            || self.host.as_ref() == Some(&name)
            || (self.any_address && address.is_ok())
    }
}

/// Refuses what a page could send without asking first: a body that is not said to be JSON.
pub fn check_body(headers: &HeaderMap) -> Result<(), Problem> {
    let browser = headers.contains_key(header::ORIGIN)
        || headers
            .keys()
            .any(|name| name.as_str().starts_with("sec-fetch-"));
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if browser && !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "a page sends its body as `application/json`",
        ));
    }
    Ok(())
}

/// Cuts off a port.
pub fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
            // An address of IPv6 has colons of its own, and stands in brackets.
            match name.contains(':') && !name.ends_with(']') {
                true => host,
                false => name,
            }
        }
        _ => host,
    }
}

fn is_given(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION);
    let given = given.and_then(|it| it.to_str().ok()).unwrap_or_default();
    let Some((scheme, given)) = given.split_once(' ') else {
        return false;
    };
    scheme.eq_ignore_ascii_case("bearer") && is_same(given.trim(), token)
}

/// Compares in a time that does not depend on where the two differ.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let differ = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && std::hint::black_box(differ) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &Guard, headers: &[(&str, &str)]) -> Option<u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().unwrap();
            map.append(name, value.parse().unwrap());
        }
        let uri = "/tasks".parse().unwrap();
        let checked = guard.check(&map, &uri).and_then(|()| check_body(&map));
        checked.err().map(|problem| problem.status())
    }

    fn local() -> Guard {
        Guard {
            host: None,
            any_address: false,
            token: None,
        }
    }

    #[test]
    fn programs_of_this_machine_pass_and_rebound_names_do_not() {
        for host in [
            "127.0.0.1",
            "localhost:4445",
            "LOCALHOST",
            "[::1]:1",
            "[::1]",
        ] {
            assert_eq!(check(&local(), &[("host", host)]), None, "{host}");
        }
        let bad = [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:4445",
            "",
            "10.0.0.1",
            "::1",
            "localhost:80:80",
            "localhost@evil.example",
            "127.0.0.1 ",
        ];
        for host in bad {
            assert_eq!(check(&local(), &[("host", host)]), Some(403), "{host}");
        }
        assert_eq!(check(&local(), &[]), Some(400));
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(check(&local(), &two), Some(400));
    }

    #[test]
    fn only_our_own_pages_pass() {
        let with = |name, value| {
            let json = ("content-type", "application/json; charset=utf-8");
            check(&local(), &[("host", "localhost:4445"), (name, value), json])
        };
        assert_eq!(with("origin", "http://localhost:4445"), None);
        for origin in [
            "http://evil.example",
            "null",
            "https://localhost:4445",
            "http://localhost",
            "",
        ] {
            assert_eq!(with("origin", origin), Some(403), "{origin}");
        }
        assert_eq!(with("sec-fetch-site", "same-origin"), None);
        assert_eq!(with("sec-fetch-site", "none"), None);
        for site in ["cross-site", "same-site", "anything"] {
            assert_eq!(with("sec-fetch-site", site), Some(403), "{site}");
        }
        let plain = [
            ("host", "localhost:4445"),
            ("origin", "http://localhost:4445"),
            ("content-type", "text/plain"),
        ];
        assert_eq!(check(&local(), &plain), Some(415));
        assert_eq!(check(&local(), &[plain[0], plain[2]]), None, "curl");
    }

    #[test]
    fn a_token_is_asked_of_everybody() {
        let guard = Guard {
            host: Some("build.lan".to_owned()),
            any_address: false,
            token: Some("s3cret".to_owned()),
        };
        let with = |host, token| check(&guard, &[("host", host), ("authorization", token)]);
        assert_eq!(with("build.lan:4445", "Bearer s3cret"), None);
        assert_eq!(with("localhost", "bearer s3cret"), None);
        assert_eq!(with("evil.example", "Bearer s3cret"), Some(403));
        for token in [
            "",
            "s3cret",
            "Bearer",
            "Bearer s3cre",
            "Bearer s3crets",
            "Basic s3cret",
        ] {
            assert_eq!(with("localhost", token), Some(401), "{token}");
        }
        assert_eq!(check(&guard, &[("host", "localhost")]), Some(401));
        let everywhere = Guard {
            any_address: true,
            ..guard
        };
        assert_eq!(check(&everywhere, &[("host", "192.168.1.5:1")]), Some(401));
        assert_eq!(check(&everywhere, &[("host", "evil.example")]), Some(403));
    }
}
