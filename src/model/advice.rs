//! What to do next, as a value: each door words it in its own way, as a command line, a tool call
//! or a button.

/// One thing that whoever asked may do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// An operation of reflectt, and when or to what end.
    Call { call: Call, why: Option<String> },
    /// Anything else: a command of git, or what only a person can do.
    Text(String),
}

/// An operation with what is known of its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// As the command line names it: `claim`, `task show`.
    pub operation: &'static str,
    pub arguments: Vec<Argument>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    pub name: &'static str,
    pub value: Value,
    /// Whether a command line gives it by its place instead of its name.
    pub placed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Given(String),
    /// To be filled in by whoever follows the advice; says with what.
    Asked(&'static str),
    /// A text to be filled in for each of so many, counted from 1.
    AskedForEach(usize),
    /// A switch.
    On,
}

impl Call {
    pub fn to(operation: &'static str) -> Call {
        Call {
            operation,
            arguments: Vec::new(),
        }
    }

    fn with(mut self, name: &'static str, value: Value, placed: bool) -> Call {
        let argument = Argument {
            name,
            value,
            placed,
        };
        self.arguments.push(argument);
        self
    }

    /// Adds an argument that a command line gives by its place.
    #[must_use]
    pub fn on(self, name: &'static str, value: impl ToString) -> Call {
        self.with(name, Value::Given(value.to_string()), true)
    }

    /// Adds an argument of this kind that whoever follows the advice fills in.
    #[must_use]
    pub fn on_some(self, name: &'static str, what: &'static str) -> Call {
        self.with(name, Value::Asked(what), true)
    }

    /// Adds an argument that has a name everywhere.
    #[must_use]
    pub fn set(self, name: &'static str, value: impl ToString) -> Call {
        self.with(name, Value::Given(value.to_string()), false)
    }

    /// Adds a named argument that whoever follows the advice fills in.
    #[must_use]
    pub fn ask(self, name: &'static str, what: &'static str) -> Call {
        self.with(name, Value::Asked(what), false)
    }

    /// Adds a named argument with a text for each of so many; none, if there is none to give.
    #[must_use]
    pub fn ask_for_each(self, name: &'static str, count: usize) -> Call {
        match count {
            0 => self,
            _ => self.with(name, Value::AskedForEach(count), false),
        }
    }

    /// Adds a switch.
    #[must_use]
    pub fn flag(self, name: &'static str) -> Call {
        self.with(name, Value::On, false)
    }

    /// Says when or to what end.
    pub fn so(self, why: impl Into<String>) -> Advice {
        Advice::Call {
            call: self,
            why: Some(why.into()),
        }
    }
}

impl From<Call> for Advice {
    fn from(call: Call) -> Advice {
        Advice::Call { call, why: None }
    }
}

impl From<String> for Advice {
    fn from(text: String) -> Advice {
        Advice::Text(text)
    }
}

impl From<&str> for Advice {
    fn from(text: &str) -> Advice {
        Advice::Text(text.to_owned())
    }
}
