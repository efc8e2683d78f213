//! Asks a model several questions at once and prints the answers in order.
//!
//! ```text
//! cargo run --package chat-limiter --example chat                     # OpenAI; the key is in OPENAI_API_KEY
//! cargo run -- simulate --port 8080                                   # or, without a key: in one terminal this,
//! cargo run --package chat-limiter --example chat http://127.0.0.1:8080/v1        # and in another this
//! ```
#![expect(clippy::print_stdout, reason = "an example speaks to the person who runs it")]

use chat_limiter::{ChatLimiter, Error, Message};
use futures::future::join_all;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let builder = match std::env::args().nth(1) {
        Some(address) => ChatLimiter::builder("openai-compatible").base_url(address),
        None => ChatLimiter::builder("openai"),
    };
    let limiter = builder.build()?;
    let questions = ["What is a token?", "What is a bucket?", "What is a window?"];
    // All at once: what the limits have no room for waits.
    let answers = questions.map(|question| limiter.chat("gpt-4o-mini", vec![Message::user(question)]));
    for (question, answer) in questions.iter().zip(join_all(answers).await) {
        let answer = answer?.json()?;
        let text = answer.pointer("/choices/0/message/content").and_then(|content| content.as_str());
        println!("{question} {}", text.unwrap_or("(no text)"));
    }
    for known in limiter.limits().iter().flat_map(|scope| &scope.state.limits) {
        println!("found: {} {} in {:?}", known.limit.amount(), known.limit.dimension(), known.limit.window());
    }
    Ok(())
}
