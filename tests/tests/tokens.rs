//! Counting beside encoding, on everything that real programs have sent. Skipped, and says so, where the recordings are
//! not there.
#![cfg(test)]

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use chat_limiter::tokenizer::Encoding;
use serde_json::Value;

/// Every text in a value, also those in texts that are JSON themselves.
fn texts(value: &Value, found: &mut HashSet<String>) {
    match value {
        Value::String(text) => {
            if let Ok(inner @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(text) {
                texts(&inner, found);
            }
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn every_recorded_text_has_as_many_tokens_as_encoding_makes() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/requests.jsonl.gz");
    if !file.exists() {
        eprintln!("skipped: there is no {}", file.display());
        return;
    }
    let output = match Command::new("gzip").arg("-dc").arg(&file).output() {
        Ok(output) => output.stdout,
        Err(error) => return eprintln!("skipped: gzip cannot be run ({error})"),
    };
    let mut found = HashSet::new();
    for line in output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let row: Value = serde_json::from_slice(line).unwrap();
        texts(&row["request_body"], &mut found);
        found.insert(row["request_body"].to_string());
    }
    assert!(found.len() > 10_000, "{}", found.len());
    for text in &found {
        for encoding in [Encoding::Cl100kBase, Encoding::O200kBase] {
            let expected = encoding.encode(text).len();
            assert_eq!(encoding.count(text), expected, "{encoding} {:?}", text.chars().take(200).collect::<String>());
        }
    }
}
