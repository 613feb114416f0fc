//! Values of the API: what properties, arguments and results are made of.

use std::borrow::Cow;

use grenadier_clock::Time;

use crate::moref::MoRef;

/// A value of the API.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// `xsd:string`.
    Text(String),
    /// `xsd:short`.
    Short(i16),
    /// `xsd:int`.
    Int(i32),
    /// `xsd:long`.
    Long(i64),
    /// `xsd:boolean`.
    Bool(bool),
    /// `xsd:dateTime`.
    Moment(Time),
    /// A literal of an enumeration: its type and the literal. Never empty: clients refuse an empty one (govmomi #4084).
    Enum(&'static str, &'static str),
    /// A reference to a managed object.
    Ref(MoRef),
    /// A data object.
    Data(Data),
    /// An array: the type of its elements and the elements.
    List(&'static str, Vec<Value>),
    /// A value in a place of type `anyType`: it says its own type.
    Any(Box<Value>),
}

/// A data object. Fields are added in the order of the schema, which some clients rely on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Data {
    /// Its type.
    pub(crate) kind: &'static str,
    /// Whether it stands in a place whose declared type is a base of its own, so that it must say its type.
    pub(crate) derived: bool,
    /// Its fields; a field without a value exists in the schema and is unset.
    pub(crate) fields: Vec<(&'static str, Option<Value>)>,
    /// Further fields of the schema, never set here. They are known, so asking for them is no error.
    pub(crate) unset: &'static [&'static str],
}

impl Data {
    /// A data object in a place declared with its own type.
    pub(crate) fn new(kind: &'static str) -> Data {
        Data { kind, derived: false, fields: Vec::new(), unset: &[] }
    }

    /// A data object in a place declared with a base type.
    pub(crate) fn derived(kind: &'static str) -> Data {
        Data { derived: true, ..Data::new(kind) }
    }

    /// Sets a field.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Data {
        self.fields.push((name, Some(value.into())));
        self
    }

    /// Sets a field where there is a value for it.
    pub(crate) fn maybe(mut self, name: &'static str, value: Option<impl Into<Value>>) -> Data {
        self.fields.push((name, value.map(Into::into)));
        self
    }

    /// Sets a field of type `anyType`.
    pub(crate) fn any(self, name: &'static str, value: impl Into<Value>) -> Data {
        self.with(name, Value::Any(Box::new(value.into())))
    }

    /// Names further fields of the schema that are never set here.
    pub(crate) fn unset(mut self, names: &'static [&'static str]) -> Data {
        self.unset = names;
        self
    }

    /// The value of a field.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(field, _)| *field == name).and_then(|(_, value)| value.as_ref())
    }
}

impl Value {
    /// An array of strings.
    pub(crate) fn texts(items: impl IntoIterator<Item = impl Into<String>>) -> Value {
        Value::List("string", items.into_iter().map(|item| Value::Text(item.into())).collect())
    }

    /// An array of references.
    pub(crate) fn refs(items: impl IntoIterator<Item = MoRef>) -> Value {
        Value::List("ManagedObjectReference", items.into_iter().map(Value::Ref).collect())
    }

    /// An array of data objects.
    pub(crate) fn list(kind: &'static str, items: impl IntoIterator<Item = Data>) -> Value {
        Value::List(kind, items.into_iter().map(Value::Data).collect())
    }

    /// The type's name where a value must say its own.
    pub(crate) fn type_name(&self) -> Cow<'static, str> {
        match self {
            Value::Text(_) => "xsd:string".into(),
            Value::Short(_) => "xsd:short".into(),
            Value::Int(_) => "xsd:int".into(),
            Value::Long(_) => "xsd:long".into(),
            Value::Bool(_) => "xsd:boolean".into(),
            Value::Moment(_) => "xsd:dateTime".into(),
            Value::Enum(kind, _) => (*kind).into(),
            Value::Ref(_) => "ManagedObjectReference".into(),
            Value::Data(data) => data.kind.into(),
            Value::List(element, _) => {
                let (first, rest) = element.split_at(1);
                format!("ArrayOf{}{rest}", first.to_ascii_uppercase()).into()
            }
            Value::Any(value) => value.type_name(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<i16> for Value {
    fn from(number: i16) -> Value {
        Value::Short(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Value {
        Value::Int(number)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Long(number)
    }
}

impl From<bool> for Value {
    fn from(is: bool) -> Value {
        Value::Bool(is)
    }
}

impl From<Time> for Value {
    fn from(at: Time) -> Value {
        Value::Moment(at)
    }
}

impl From<MoRef> for Value {
    fn from(mo: MoRef) -> Value {
        Value::Ref(mo)
    }
}

impl From<Data> for Value {
    fn from(data: Data) -> Value {
        Value::Data(data)
    }
}

/// A number that the schema gives 32 bits: saturates instead of wrapping.
pub(crate) fn int(number: impl TryInto<i32>) -> Value {
    Value::Int(number.try_into().unwrap_or(i32::MAX))
}

/// A number that the schema gives 64 bits: saturates instead of wrapping.
pub(crate) fn long(number: impl TryInto<i64>) -> Value {
    Value::Long(number.try_into().unwrap_or(i64::MAX))
}

/// A number that the schema gives 16 bits: saturates instead of wrapping.
pub(crate) fn short(number: impl TryInto<i16>) -> Value {
    Value::Short(number.try_into().unwrap_or(i16::MAX))
}
