//! The fields `RateLimit` and `RateLimit-Policy` of the IETF.
//!
//! Source: <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/>, version 11 (named policies:
//! `"burst";q=100;w=60` and `"burst";r=50;t=30`), with what versions 03 to 07 had instead: policies without a name
//! (`100;w=60`) and `limit=100, remaining=50, reset=50`. The three separate fields of the oldest versions have names
//! like everybody else's and are read with those.

use http::HeaderMap;
use limiter_core::{Dimension, Limit, Nanos, Reading};
use memchr::memchr2;

use super::parse_amount;
use crate::duration::parse_seconds;

/// The names of the two fields.
pub(crate) const LIMIT: &str = "ratelimit";
pub(crate) const POLICY: &str = "ratelimit-policy";

/// How many members of one field are looked at. A response with more states nothing that could be heeded.
const MOST: usize = 8;

/// One member of a list: what it is called, and those of its parameters that mean something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Member<'a> {
    /// What stands before the first semicolon, without quotes.
    item: &'a str,
    /// `q`: what is allowed.
    quota: Option<u64>,
    /// `r`: what is left.
    remaining: Option<u64>,
    /// `t`: until there is more.
    reset: Option<Nanos>,
    /// `w`: for how long it is allowed.
    window: Option<Nanos>,
    /// `qu`: what is counted.
    unit: Option<&'a str>,
    /// `pk`: for whom.
    partition: Option<&'a str>,
}

/// Whether a value of either field has anything that can be read.
pub(super) fn is_readable(name: &str, value: &str) -> bool {
    if name == POLICY {
        return members(value).any(|member| Policy::read(member).is_some());
    }
    older(value).is_some() || members(value).any(|member| member.remaining.is_some())
}

/// The window of the policy without a name that allows `limit`, as versions 03 to 07 state it.
pub(super) fn window_of(headers: &HeaderMap, limit: u64) -> Option<Nanos> {
    let policies = lines(headers, POLICY).flat_map(members).take(MOST).filter_map(Policy::read);
    policies.filter(|policy| policy.quota == limit).find_map(|policy| policy.member.window)
}

/// What both fields say together: one reading for each policy, and for each limit without one.
pub(super) fn read(headers: &HeaderMap) -> impl Iterator<Item = Reading> {
    let mut policies = [None; MOST];
    let of_policies = lines(headers, POLICY).flat_map(members).filter_map(Policy::read).filter(|it| it.is_named);
    policies.iter_mut().zip(of_policies).for_each(|(slot, policy)| *slot = Some(policy));
    let mut limits = [None; MOST];
    let of_limits = lines(headers, LIMIT).flat_map(members).filter(|it| it.remaining.is_some());
    limits.iter_mut().zip(of_limits).for_each(|(slot, limit)| *slot = Some(limit));

    let mut readings = [None; 2 * MOST + 1];
    let mut slots = readings.iter_mut();
    let mut add = |reading: Reading| slots.next().map(|slot| *slot = Some(reading));
    for policy in policies.iter().flatten() {
        let Some(dimension) = policy.dimension else { continue };
        let said = limits.iter().flatten().find(|limit| limit.is_of(&policy.member));
        add(Reading {
            window: policy.member.window,
            limit: Some(policy.quota),
            remaining: said.and_then(|limit| limit.remaining),
            reset: said.and_then(|limit| limit.reset),
            ..Reading::of(dimension)
        });
    }
    for limit in limits.iter().flatten() {
        if !policies.iter().flatten().any(|policy| limit.is_of(&policy.member)) {
            add(Reading { remaining: limit.remaining, reset: limit.reset, ..Reading::of(named(limit.item)) });
        }
    }
    if limits.iter().all(Option::is_none)
        && let Some(reading) = lines(headers, LIMIT).find_map(older)
    {
        add(Reading { window: reading.limit.and_then(|limit| window_of(headers, limit)), ..reading });
    }
    readings.into_iter().flatten()
}

fn lines<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}

#[derive(Clone, Copy, Debug)]
struct Policy<'a> {
    member: Member<'a>,
    is_named: bool,
    quota: u64,
    /// `None` for a unit that is not metered here, such as bytes.
    dimension: Option<Dimension>,
}

impl<'a> Policy<'a> {
    fn read(member: Member<'a>) -> Option<Self> {
        if let Some(quota) = parse_amount(member.item) {
            return Some(Self { member, is_named: false, quota, dimension: Some(Dimension::Requests) });
        }
        let dimension = match member.unit {
            None | Some("") => Some(named(member.item)),
            Some("requests") => Some(Dimension::Requests),
            Some("concurrent-requests") => Some(Dimension::Concurrent),
            Some(unit) if unit.contains("token") => Some(named(unit)),
            Some(_) => None,
        };
        Some(Self { member, is_named: true, quota: member.quota?, dimension })
    }
}

/// What a policy without a unit counts: requests, unless its name says something else.
fn named(name: &str) -> Dimension {
    // Most names are shorter than any of these words.
    let has = |word: &str| name.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    match has("token") {
        true if has("input") || has("prompt") => Dimension::InputTokens,
        true if has("output") || has("completion") => Dimension::OutputTokens,
        true => Dimension::Tokens,
        false if has("concurren") => Dimension::Concurrent,
        false => Dimension::Requests,
    }
}

/// `limit=100, remaining=50, reset=50`, of versions 05 to 07.
fn older(value: &str) -> Option<Reading> {
    let of = |key: &str| {
        let mut pairs = value.split(',').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| name.trim_ascii().eq_ignore_ascii_case(key)).map(|(_, value)| value.trim_ascii())
    };
    let limit = of("limit").and_then(parse_amount).filter(|limit| *limit <= Limit::MAX_AMOUNT);
    let remaining = of("remaining").and_then(parse_amount);
    let reset = of("reset").and_then(parse_seconds);
    (limit.is_some() || remaining.is_some()).then_some(Reading {
        limit,
        remaining,
        reset,
        ..Reading::of(Dimension::Requests)
    })
}

impl<'a> Member<'a> {
    fn read(text: &'a str) -> Self {
        let mut parts = split(text, b';');
        let mut member = Self { item: unquoted(parts.next().unwrap_or_default().trim_ascii()), ..Self::default() };
        for parameter in parts {
            let parameter = parameter.trim_ascii();
            let Some(end) = parameter.bytes().take(4).position(|byte| byte == b'=') else { continue };
            let (name, value) =
                (parameter.get(..end).unwrap_or_default(), parameter.get(end + 1..).unwrap_or_default());
            match name {
                "q" => member.quota = parse_amount(value),
                "r" => member.remaining = parse_amount(value),
                "t" => member.reset = parse_seconds(value),
                "w" => member.window = parse_seconds(value).filter(|window| *window > Nanos::ZERO),
                "qu" => member.unit = Some(unquoted(value)),
                "pk" => member.partition = Some(value),
                _ => {}
            }
        }
        member
    }

    /// Whether two members speak of one policy, for one partition.
    fn is_of(&self, other: &Self) -> bool {
        self.item == other.item && self.partition == other.partition
    }
}

fn members(value: &str) -> impl Iterator<Item = Member<'_>> {
    split(value, b',').filter(|member| !member.trim_ascii().is_empty()).map(Member::read)
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// The parts between separators that do not stand in quotes.
fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = end_of_part(text.as_bytes(), separator);
        rest = end.and_then(|end| text.get(end + 1..));
        text.get(..end.unwrap_or(text.len()))
    })
}

/// Where the first separator is that does not stand in quotes.
fn end_of_part(text: &[u8], separator: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(separator, b'"', text.get(at..)?)?;
        if text.get(at) == Some(&separator) {
            return Some(at);
        }
        at += 1;
        // To the end of the quotes.
        loop {
            at += memchr2(b'\\', b'"', text.get(at..)?)?;
            let is_escape = text.get(at) == Some(&b'\\');
            at += 1 + usize::from(is_escape);
            if !is_escape {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests;
