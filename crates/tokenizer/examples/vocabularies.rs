//! Writes the vocabularies in `assets` from those of tiktoken-rs, in the form that `src/counting/asset.rs` describes.
//!
//! ```sh
//! cargo run --package tokenizer --example vocabularies -- crates/tokenizer/assets
//! ```
//!
//! They change only when OpenAI changes an encoding, which it does not; a test compares them with tiktoken-rs.

use std::collections::HashMap;
use std::path::PathBuf;

use tiktoken_rs::CoreBPE;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).ok_or("say where to write")?);
    // The first rank behind each vocabulary.
    let all = [
        ("p50k_base", tiktoken_rs::p50k_base_singleton(), 50_281),
        ("cl100k_base", tiktoken_rs::cl100k_base_singleton(), 100_256),
        ("o200k_base", tiktoken_rs::o200k_base_singleton(), 199_998),
    ];
    for (name, vocabulary, ranks) in all {
        std::fs::write(directory.join(name).with_extension("merges"), written(vocabulary, ranks))?;
    }
    Ok(())
}

fn written(vocabulary: &CoreBPE, ranks: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut known: HashMap<Vec<u8>, u32> = HashMap::new();
    for rank in 0..ranks {
        // Control tokens decode, too, but stand for no bytes of a text.
        let token = vocabulary.decode_bytes(&[rank]).ok().filter(|token| token != b"<|endoftext|>");
        let Some(token) = token else {
            number(0, &mut file);
            continue;
        };
        let split = (1..token.len()).find_map(|at| {
            let (left, right) = token.split_at_checked(at)?;
            Some((*known.get(left)?, *known.get(right)?))
        });
        match split {
            Some((left, right)) => {
                number(left + 2, &mut file);
                number(right, &mut file);
            }
            None => {
                number(1, &mut file);
                number(token.len() as u32, &mut file);
                file.extend(&token);
            }
        }
        known.insert(token, rank);
    }
    file
}

/// In LEB128.
fn number(mut number: u32, file: &mut Vec<u8>) {
    while number >= 0x80 {
        file.push(number as u8 | 0x80);
        number >>= 7;
    }
    file.push(number as u8);
}
