//! Criteria as they are named on the command line: by number, from 1.

/// How evidence is written.
const FORM: &str = "write it as `1=how you know that criterion 1 is met`";

/// Reads the number of a criterion.
pub fn number(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!(
            "`{text}` is not the number of a criterion; they count from 1"
        )),
    }
}

/// Reads `N=TEXT`.
pub fn evidence(text: &str) -> Result<(usize, String), String> {
    let (before, words) = text
        .split_once('=')
        .ok_or_else(|| format!("the number of the criterion is missing; {FORM}"))?;
    let number = number(before).map_err(|_| {
        format!("`{before}` before the `=` is not the number of a criterion; {FORM}")
    })?;
    if words.trim().is_empty() {
        return Err(format!(
            "the evidence for criterion {number} is empty; {FORM}"
        ));
    }
    Ok((number, words.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_a_number_and_words() {
        assert_eq!(evidence("1=a=b"), Ok((1, "a=b".to_owned())));
        assert_eq!(evidence(" 2 = seen "), Ok((2, "seen".to_owned())));
        for (bad, start) in [
            ("it works", "the number of the criterion is missing"),
            ("one=it works", "`one` before the `=` is not the number"),
            ("-1=x", "`-1` before the `=` is not the number"),
            ("0=x", "`0` before the `=` is not the number"),
            ("1= ", "the evidence for criterion 1 is empty"),
        ] {
            let error = evidence(bad).unwrap_err();
            assert!(error.starts_with(start), "{bad}: {error}");
        }
    }

    #[test]
    fn criteria_count_from_one() {
        assert_eq!(number("3"), Ok(3));
        for bad in ["0", "x", "", "-1", "99999999999999999999999"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }
}
