//! Identifiers: short ones for tasks and claims, ULIDs for events, messages and reflections.

use std::fmt;
use std::str::FromStr;

use ulid::Ulid;

use super::time::Timestamp;

/// Crockford's base32 alphabet in lower case: no `i`, `l`, `o`, `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters of a task's id. 32⁶ is a billion; the store checks for collisions all the same.
pub const TASK_ID_LEN: usize = 6;

/// A task's id, or that of a claim without a task: six characters of Crockford's base32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId([u8; TASK_ID_LEN]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error(
        "`{0}` is not an id: ids are {TASK_ID_LEN} characters of 0-9 and a-z without i, l, o, u"
    )]
    TaskId(String),
    #[error("`{0}` is not an id prefix: give two to {TASK_ID_LEN} characters of the id")]
    Prefix(String),
    #[error("`{0}` is not a ULID: 26 characters of 0-9 and A-Z without I, L, O, U")]
    Ulid(String),
}

impl TaskId {
    /// Returns a random id. Ids are never reused, so the caller asks again if it is taken.
    pub fn random(rng: &mut fastrand::Rng) -> TaskId {
        TaskId(std::array::from_fn(|_| {
            ALPHABET[rng.usize(..ALPHABET.len())]
        }))
    }

    /// Returns the id of these characters; `None` if they are not written as ids are.
    pub fn from_bytes(bytes: [u8; TASK_ID_LEN]) -> Option<TaskId> {
        let ours = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'..=b't' | b'v'..=b'z');
        bytes.iter().all(ours).then_some(TaskId(bytes))
    }

    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("every constructor takes characters of the alphabet")
    }
}

impl FromStr for TaskId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<TaskId, IdError> {
        normalise(text)
            .and_then(|bytes| bytes.try_into().ok())
            .map(TaskId)
            .ok_or_else(|| IdError::TaskId(text.to_owned()))
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a person typed where an id is asked for: two or more of its first characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdPrefix(String);

impl IdPrefix {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id itself if all its characters were given.
    pub fn exact(&self) -> Option<TaskId> {
        self.0.parse().ok()
    }

    pub fn matches(&self, id: TaskId) -> bool {
        id.as_str().starts_with(&self.0)
    }
}

impl FromStr for IdPrefix {
    type Err = IdError;

    fn from_str(text: &str) -> Result<IdPrefix, IdError> {
        match normalise(text) {
            Some(bytes) if (2..=TASK_ID_LEN).contains(&bytes.len()) => Ok(IdPrefix(
                String::from_utf8(bytes).expect("normalised to characters of the alphabet"),
            )),
            _ => Err(IdError::Prefix(text.to_owned())),
        }
    }
}

impl From<TaskId> for IdPrefix {
    fn from(id: TaskId) -> IdPrefix {
        IdPrefix(id.as_str().to_owned())
    }
}

/// Reads Crockford's base32 as he means it: any case, `i` and `l` for 1, `o` for 0.
fn normalise(text: &str) -> Option<Vec<u8>> {
    text.bytes()
        .map(|byte| match byte.to_ascii_lowercase() {
            b'i' | b'l' => Some(b'1'),
            b'o' => Some(b'0'),
            lower if ALPHABET.contains(&lower) => Some(lower),
            _ => None,
        })
        .collect()
}

/// The id of an event, a message or a reflection: a ULID, whose first 48 bits are its time.
///
/// <https://github.com/ulid/spec>. The order of ids is the order of events in the fold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(Ulid);

impl Stamp {
    /// Returns an id for something that happens at `now`, later than `after`.
    ///
    /// A clock that runs behind what others wrote must not put an answer before its question,
    /// so the id then follows `after` by the smallest step.
    pub fn new(now: Timestamp, rng: &mut fastrand::Rng, after: Option<Stamp>) -> Stamp {
        let millis = u64::try_from(now.0).unwrap_or(0);
        let fresh = Stamp(Ulid::from_parts(millis, rng.u128(..)));
        match after {
            Some(after) if fresh <= after => after.next(),
            _ => fresh,
        }
    }

    fn next(self) -> Stamp {
        Stamp(Ulid(self.0.0.saturating_add(1)))
    }

    /// Returns the 128 bits, time first.
    pub fn to_bits(self) -> u128 {
        self.0.0
    }

    pub fn from_bits(bits: u128) -> Stamp {
        Stamp(Ulid(bits))
    }

    pub fn at(self) -> Timestamp {
        Timestamp(i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX))
    }

    /// Returns the id with the greatest value a clock could give at `at`; for range queries.
    pub fn last_at(at: Timestamp) -> Stamp {
        Stamp(Ulid::from_parts(
            u64::try_from(at.0).unwrap_or(0),
            u128::MAX,
        ))
    }
}

impl FromStr for Stamp {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Stamp, IdError> {
        let error = || IdError::Ulid(text.to_owned());
        let stamp = Ulid::from_string(text).map(Stamp).map_err(|_| error())?;
        // The crate drops bits that do not fit 128; such text would not print as it was read.
        if stamp.to_string().eq_ignore_ascii_case(text) {
            Ok(stamp)
        } else {
            Err(error())
        }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.array_to_str(&mut [0; ulid::ULID_LEN]))
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A number that only rises over the life of the repository, one for every claim taken.
///
/// A claim that was lost and taken again has a higher one, so late work is recognisable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub u64);

impl Fence {
    /// Above all that a table gives out: the fences of claims that only one clone sees, until the
    /// remote's table grants them under fences of its own.
    pub const PROVISIONAL: Fence = Fence(1 << 62);

    pub fn is_provisional(self) -> bool {
        self > Fence::PROVISIONAL
    }

    #[must_use]
    pub fn next(self) -> Fence {
        Fence(self.0.saturating_add(1))
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_ids_forgive_what_crockford_forgives() {
        assert_eq!("K3F9XO".parse::<TaskId>().unwrap().as_str(), "k3f9x0");
        assert_eq!("il1lIL".parse::<TaskId>().unwrap().as_str(), "111111");
        for bad in ["", "k3f9x", "k3f9x22", "k3f9xu", "k3f9x/", "k3f9xé"] {
            assert!(bad.parse::<TaskId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_characters_of_the_alphabet_are_taken_as_they_are() {
        for byte in 0..=u8::MAX {
            let id = TaskId::from_bytes([byte; TASK_ID_LEN]);
            assert_eq!(id.is_some(), ALPHABET.contains(&byte), "{byte}");
        }
    }

    #[test]
    fn prefixes_have_two_characters_at_least() {
        let prefix: IdPrefix = "K3".parse().unwrap();
        assert!(prefix.matches("k3f9x2".parse().unwrap()));
        assert!("k".parse::<IdPrefix>().is_err());
        assert!("k3f9x2a".parse::<IdPrefix>().is_err());
    }

    #[test]
    fn a_stamp_is_later_than_what_its_writer_saw() {
        let mut rng = fastrand::Rng::with_seed(1);
        let ahead = Stamp::new(Timestamp(2_000), &mut rng, None);
        let behind = Stamp::new(Timestamp(1_000), &mut rng, Some(ahead));
        assert!(behind > ahead);
        assert_eq!(behind.at(), Timestamp(2_000));
        assert_eq!(behind.to_string().parse::<Stamp>().unwrap(), behind);
    }

    #[test]
    fn stamps_that_overflow_are_refused() {
        assert!("8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<Stamp>().is_err());
        assert!("01ARZ3NDEKTSV4RRFFQ69G5FA".parse::<Stamp>().is_err());
    }
}
