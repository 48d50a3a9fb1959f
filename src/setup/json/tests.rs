//! Elements put into texts of every layout, and taken out again.

use super::*;

fn pair() -> Value {
    Value::Fields(vec![("a", Value::Rows(vec![Value::Number(1)]))])
}

/// Puts two members into the root and takes them out again.
#[track_caller]
fn there_and_back(text: &str, with: &str) {
    let mut document = Document::read(Some(text)).unwrap();
    document.append(&[], Some("x"), &pair()).unwrap();
    assert_eq!(document.text(), with, "{text:?}");
    document.append(&[], Some("y"), &Value::Flag(true)).unwrap();
    for name in ["y", "x"] {
        let at = document.root().unwrap().index(name).unwrap();
        document.remove(&[at]).unwrap();
    }
    assert_eq!(document.into_text().as_deref(), Some(text));
}

#[test]
fn every_layout_comes_back() {
    let x = "\"x\": {\n  \"a\": [\n    1\n  ]\n}";
    let deep = "\"x\": {\n    \"a\": [\n      1\n    ]\n  }";
    there_and_back("{}", &format!("{{{x}}}"));
    there_and_back("{ }\n", &format!("{{{x} }}\n"));
    there_and_back("{\n}\n", &format!("{{{x}\n}}\n"));
    there_and_back("{ // c\n}", &format!("{{{x} // c\n}}"));
    there_and_back("", &format!("{{\n  {deep}\n}}"));
    there_and_back(" \n", &format!(" \n{{\n  {deep}\n}}"));
    there_and_back("\n", &format!("\n{{\n  {deep}\n}}"));
    there_and_back("// c", &format!("{{\n  {deep}\n}}// c"));
    there_and_back("/* c */\n", &format!("{{\n  {deep}\n}}/* c */\n"));
    there_and_back("{\"b\": 2}", &format!("{{\"b\": 2, {x}}}"));
    there_and_back(
        "{\"b\": 2 /* c */ }",
        &format!("{{\"b\": 2, /* c */ {x} }}"),
    );
    there_and_back("{\"b\": 2 // c\n}", &format!("{{\"b\": 2, // c\n{x}\n}}"));
    there_and_back("{\"b\": 2,}", &format!("{{\"b\": 2, {x},}}"));
    there_and_back(
        "{\n  \"b\": 2\n}",
        &format!("{{\n  \"b\": 2,\n  {deep}\n}}"),
    );
    there_and_back(
        "{\n  \"b\": 2 , // c  \n}\n",
        &format!("{{\n  \"b\": 2 , // c  \n  {deep},\n}}\n"),
    );
    there_and_back(
        "{\n  \"b\": 2 // c \n  // d\n}",
        &format!("{{\n  \"b\": 2, // c \n  {deep}\n  // d\n}}"),
    );
    there_and_back(
        "{\n  \"b\": 2 /* c\n d */ // e\n  /* f */ ,\n}",
        &format!("{{\n  \"b\": 2 /* c\n d */ // e\n  /* f */ ,\n  {deep},\n}}"),
    );
    there_and_back(
        "{\r\n\t\"b\": 2\r\n}\r\n",
        "{\r\n\t\"b\": 2,\r\n\t\"x\": {\r\n\t\t\"a\": [\r\n\t\t\t1\r\n\t\t]\r\n\t}\r\n}\r\n",
    );
    there_and_back(
        "{\r\n\"b\": 2 // c\r\n}",
        &format!("{{\r\n\"b\": 2, // c\r\n{}\r\n}}", x.replace('\n', "\r\n")),
    );
}

#[test]
fn a_file_that_is_made_goes_with_what_it_was_made_for() {
    let mut document = Document::read(None).unwrap();
    document.append(&[], Some("x"), &pair()).unwrap();
    document.append(&[], Some("y"), &Value::Number(3)).unwrap();
    assert_eq!(
        document.text(),
        "{\n  \"x\": {\n    \"a\": [\n      1\n    ]\n  },\n  \"y\": 3\n}\n"
    );
    document.remove(&[1]).unwrap();
    // The number, with the containers that were made for it.
    document.remove(&[0, 0, 0]).unwrap();
    assert_eq!(document.into_text(), None);
}

#[test]
fn containers_that_were_there_stay() {
    for (text, path) in [
        ("{\"x\": {\"a\": []}}", &[0, 0][..]),
        ("{\"x\": {\"a\": [ // c\n]}}", &[0, 0]),
        ("{\n  \"x\": {\n    \"a\": []\n  }\n}\n", &[0, 0]),
    ] {
        let mut document = Document::read(Some(text)).unwrap();
        document.append(path, None, &Value::Number(1)).unwrap();
        document.remove(&[path, &[0]].concat()).unwrap();
        assert_eq!(document.into_text().as_deref(), Some(text));
    }
    // Somebody has written beside ours.
    let mut document = Document::read(None).unwrap();
    document.append(&[], Some("x"), &pair()).unwrap();
    let text = document.text().replace("    1", "    // why\n    1");
    let mut document = Document::read(Some(&text)).unwrap();
    document.remove(&[0, 0, 0]).unwrap();
    assert!(document.text().contains("// why"));
}

#[test]
fn from_the_middle_nothing_else_goes() {
    let text = "{\n  \"a\": 1,\n  \"x\": 2, // x\n  \"b\": 3\n}";
    let mut document = Document::read(Some(text)).unwrap();
    document.remove(&[1]).unwrap();
    assert_eq!(document.text(), "{\n  \"a\": 1, // x\n  \"b\": 3\n}");
    document.remove(&[0]).unwrap();
    assert_eq!(document.text(), "{ // x\n  \"b\": 3\n}");
    let mut document = Document::read(Some("[1,2 , 3]")).unwrap();
    document.remove(&[1]).unwrap();
    assert_eq!(document.text(), "[1,  3]");
    document.remove(&[1]).unwrap();
    assert_eq!(document.text(), "[1]");
}

#[test]
fn another_value_takes_the_place() {
    let mut document = Document::read(Some("{\"a\": 1 /* c */, \"b\": [2]}")).unwrap();
    document.replace(&[0], &Value::text("q\"")).unwrap();
    document.replace(&[1, 0], &Value::Flag(false)).unwrap();
    assert_eq!(
        document.text(),
        "{\"a\": \"q\\\"\" /* c */, \"b\": [false]}"
    );
}

#[test]
fn of_two_members_with_one_name_the_last_counts() {
    let document = Document::read(Some("{\"a\": 1, \"a\": 2}")).unwrap();
    assert_eq!(document.root().unwrap().index("a"), Some(1));
}

#[test]
fn values_are_compared_whatever_their_layout() {
    let document = Document::read(Some("{\"a\" :[\n1 ] }")).unwrap();
    assert!(document.root().unwrap().is(&pair()));
    assert!(!document.root().unwrap().is(&Value::Fields(Vec::new())));
    let document = Document::read(Some("{\"a\": [1], \"b\": null}")).unwrap();
    assert!(!document.root().unwrap().is(&pair()));
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    for (text, line, column) in [
        ("{", 1, 1),
        ("{\n  \"é\": x\n}", 2, 8),
        ("{'a': 1}", 1, 2),
        ("{\"a\": 1 \"b\": 2}", 1, 8),
        ("{} {}", 1, 4),
        ("{\"a\": 0x1}", 1, 7),
    ] {
        let refused = Document::read(Some(text)).unwrap_err();
        assert_eq!(
            (refused.at.line, refused.at.column),
            (line, column),
            "{text}"
        );
    }
    let deep = "[".repeat(100_000);
    assert!(Document::read(Some(&deep)).is_err());
}
