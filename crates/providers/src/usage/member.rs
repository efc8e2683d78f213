//! JSON as far as counts are looked for in it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// What counts are found in: a value that was parsed anyway, or [`Member`].
pub(crate) trait Json {
    /// The member of this name, where it is an object that has one.
    fn member(&self, name: &str) -> Option<&Self>;
    /// Whether it is an object.
    fn has_members(&self) -> bool;
    /// A whole number that is not negative, written as one.
    fn count(&self) -> Option<u64>;
    /// Any number.
    fn number(&self) -> Option<f64>;
}

impl Json for Value {
    fn member(&self, name: &str) -> Option<&Self> {
        self.get(name)
    }

    fn has_members(&self) -> bool {
        self.is_object()
    }

    fn count(&self) -> Option<u64> {
        self.as_u64()
    }

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }
}

/// A value in an answer: numbers and where they stand. Names are borrowed from the answer, and texts left out, so that
/// next to nothing is allocated for what is looked at once.
#[derive(Debug, PartialEq)]
pub(super) enum Member<'a> {
    Number(Number),
    Items(Vec<Self>),
    /// In the order in which they were written; of two with one name the last counts.
    Members(Vec<(Name<'a>, Self)>),
    /// Null, true, false, a text.
    Other,
}

/// The name of a member, borrowed where nothing in it is escaped.
#[derive(Debug, PartialEq)]
pub(super) struct Name<'a>(Cow<'a, str>);

impl<'a> Member<'a> {
    /// The items of a list.
    pub(super) fn items(&self) -> Option<&[Self]> {
        match self {
            Self::Items(items) => Some(items),
            _ => None,
        }
    }
}

impl Json for Member<'_> {
    fn member(&self, name: &str) -> Option<&Self> {
        let Self::Members(members) = self else { return None };
        members.iter().rev().find(|(known, _)| known.0 == name).map(|(_, value)| value)
    }

    fn has_members(&self) -> bool {
        matches!(self, Self::Members(_))
    }

    fn count(&self) -> Option<u64> {
        match self {
            Self::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Member<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MemberVisitor)
    }
}

struct MemberVisitor;

impl<'de> Visitor<'de> for MemberVisitor {
    type Value = Member<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Member::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Member::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(number).map_or(Member::Other, Member::Number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Member::Items(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Member::Members(members))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str) {
        let (value, member): (Value, Member<'_>) =
            (serde_json::from_str(json).unwrap(), serde_json::from_str(json).unwrap());
        check_same(&value, &member);
    }

    fn check_same(value: &Value, member: &Member<'_>) {
        assert_eq!(
            (value.count(), value.number(), value.has_members(), value.as_array().map(Vec::len)),
            (member.count(), member.number(), member.has_members(), member.items().map(<[_]>::len)),
            "{value}"
        );
        for (name, inner) in value.as_object().into_iter().flatten() {
            check_same(inner, member.member(name).unwrap());
        }
        for (value, member) in value.as_array().into_iter().flatten().zip(member.items().into_iter().flatten()) {
            check_same(value, member);
        }
    }

    #[test]
    fn counts_are_found_where_they_are_in_the_whole_value() {
        for json in [
            "1",
            "-1",
            "18446744073709551615",
            "18446744073709551616",
            "1.0",
            "-0.0",
            "1e3",
            "null",
            "true",
            r#""12""#,
            "[]",
            "{}",
            r#"[1, [2, "x"], {"a": 3}]"#,
            r#"{"a": 1, "b": {"c": 2.5, "d": null}, "a": 7}"#,
            r#"{"\u0061": 1, "e\n\"": {"f\\": 2}, "": 3}"#,
        ] {
            check(json);
        }
    }

    #[test]
    fn nothing_is_found_in_what_is_no_object() {
        for json in ["1", "null", r#""a""#, r#"[{"a": 1}]"#] {
            let member: Member<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(member.member("a"), None, "{json}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_as_a_whole_value_is() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for json in ["", "{", r#"{"a" 1}"#, "[1,]", "1e999", r#""\x""#, r#"{"a": "\ud800"}"#, &deep] {
            assert!(serde_json::from_str::<Value>(json).is_err(), "{json}");
            assert!(serde_json::from_str::<Member<'_>>(json).is_err(), "{json}");
        }
        assert!(serde_json::from_slice::<Member<'_>>(b"\"\xff\"").is_err());
    }
}
