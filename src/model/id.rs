//! Identifiers: short ones for tasks and claims, ULIDs for events, messages and reflections.

use std::fmt;
use std::str::FromStr;

use ulid::Ulid;

use super::time::Timestamp;

/// Crockford's base32 alphabet in lower case: no `i`, `l`, `o`, `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters of a task's id. 32⁶ is a billion; the store checks for collisions all the same.
pub const TASK_ID_LEN: usize = 6;

/// The last millisecond whose number fits the 48 bits that a ULID has for it.
const LAST_MILLIS: u64 = (1 << 48) - 1;

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
    /// The claim of whoever lands: one for the whole team. No task has this id.
    pub const LANE: TaskId = TaskId(*b"merge0");

    /// Returns a random id. Ids are never reused, so the caller asks again if it is taken.
    pub fn random(rng: &mut fastrand::Rng) -> TaskId {
        let mut draw = || {
            TaskId(std::array::from_fn(|_| {
                ALPHABET[rng.usize(..ALPHABET.len())]
            }))
        };
        match draw() {
            TaskId::LANE => draw(),
            id => id,
        }
    }

    /// Returns the id that follows from a digest alone, for whoever has to agree on one unasked.
    pub fn of_digest(digest: u128) -> TaskId {
        TaskId(std::array::from_fn(|at| {
            // Far bits into near ones: each byte of the input reaches the upper half at least.
            let bits = (digest ^ digest >> 64) >> (5 * at);
            ALPHABET[(bits & 31) as usize]
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
    /// A clock that runs behind what others wrote must not put an answer before its question, so
    /// the id then is of the millisecond after that of `after`. The rest of it is drawn all the
    /// same: two who answer at once must not both take the successor, or a merge would keep one.
    ///
    /// Nothing follows an id of the very last millisecond, in the year 10889. Whoever may be given
    /// such an id asks [`super::moment::Moment::stamp`], which does not follow it.
    pub fn new(now: Timestamp, rng: &mut fastrand::Rng, after: Option<Stamp>) -> Stamp {
        let millis = u64::try_from(now.0).unwrap_or(0);
        let mut draw = |millis: u64| Stamp::from_parts(millis, rng.u128(..));
        let fresh = draw(millis);
        match after {
            Some(after) if fresh <= after => draw(after.0.timestamp_ms() + 1),
            _ => fresh,
        }
    }

    /// Returns the id of a time, with the 80 lower bits of `random` beside it.
    pub fn from_parts(millis: u64, random: u128) -> Stamp {
        Stamp(Ulid::from_parts(millis.min(LAST_MILLIS), random))
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

/// The greatest number that a file may have for what is only ever counted up, a fence or an epoch.
///
/// It is the greatest that every reader of JSON can tell from its neighbours. A team that takes a
/// thousand claims a second gets there in 285,000 years, so whatever is greater is no count. It
/// also leaves the arithmetic all the room it may need before it is written again.
pub const COUNT_MAX: u64 = (1 << 53) - 1;

/// How many more fences than the claims table knows of may have been given out, where it was lost
/// or set back. More is not for a team to reach, and so many steps of it are below [`COUNT_MAX`]
/// that nobody gets there by pushing once for each.
pub const FENCES_UNKNOWN: u64 = 1 << 32;

impl Fence {
    /// Above all that a table gives out: the fences of claims that only one clone sees, until the
    /// remote's table grants them under fences of its own.
    pub const PROVISIONAL: Fence = Fence(1 << 52);

    pub fn is_provisional(self) -> bool {
        self > Fence::PROVISIONAL
    }

    /// Returns the number, if the remote's table gave it out.
    pub fn given(self) -> Option<u64> {
        Some(self.0).filter(|_| !self.is_provisional())
    }

    #[must_use]
    pub fn next(self) -> Fence {
        self.plus(1)
    }

    #[must_use]
    pub fn plus(self, count: u64) -> Fence {
        Fence(self.0 + count)
    }
}

/// Returns FNV-1a of some bytes: the same on every machine, and in every version.
pub fn digest(bytes: impl IntoIterator<Item = u8>) -> u128 {
    (bytes.into_iter()).fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        assert_eq!(behind.at(), Timestamp(2_001));
        assert_eq!(behind.to_string().parse::<Stamp>().unwrap(), behind);
    }

    proptest! {
        #[test]
        fn stamps_rise_and_two_writers_never_draw_the_same(
            seed: u64,
            now in 0..4_000_i64,
            after in 0..4_000_u64,
            random: u128,
        ) {
            let after = Stamp::from_parts(after, random);
            let (mut kai, mut link) = (
                fastrand::Rng::with_seed(seed),
                fastrand::Rng::with_seed(seed ^ 1),
            );
            let one = Stamp::new(Timestamp(now), &mut kai, Some(after));
            let other = Stamp::new(Timestamp(now), &mut link, Some(after));
            prop_assert!(one > after && other > after && one != other);
            prop_assert!(one.at().0 <= now.max(after.at().0 + 1));
            prop_assert!(Stamp::new(Timestamp(now), &mut kai, Some(one)) > one);
        }

        /// As an agreement needs it: the same everywhere, and as good as drawn.
        #[test]
        fn ids_of_digests_differ_as_drawn_ones_do(start: u64) {
            let of = |n: u64| TaskId::of_digest(digest((start ^ n).to_be_bytes()));
            let ids: std::collections::BTreeSet<TaskId> = (0..64).map(of).collect();
            prop_assert!(ids.len() >= 63);
            prop_assert_eq!(ids.iter().next().unwrap().to_string().parse::<TaskId>().is_ok(), true);
        }
    }

    #[test]
    fn an_id_of_a_digest_is_the_same_in_every_version() {
        let id = TaskId::of_digest(digest(*b"tasks/new.toml"));
        assert_eq!(id, TaskId::of_digest(digest(*b"tasks/new.toml")));
        assert_eq!(id.as_str(), "zkj22f");
    }

    #[test]
    fn stamps_that_overflow_are_refused() {
        assert!("8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<Stamp>().is_err());
        assert!("01ARZ3NDEKTSV4RRFFQ69G5FA".parse::<Stamp>().is_err());
    }
}
