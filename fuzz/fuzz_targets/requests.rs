//! Requests and answers about the account of any bytes: read, written in every form, and laid over the known models.
#![no_main]

use libfuzzer_sys::fuzz_target;
use providers::ModelTable;
use providers::discovery::{anthropic, openai, openrouter, parse_model_list};
use providers::payload::{ChatDialect, ChatRequest, Form};

fuzz_target!(|bytes: &[u8]| {
    let _ = openrouter::parse_key(bytes).map(|status| status.limits());
    let _ = (openrouter::parse_credits(bytes), openai::parse_rate_limits(bytes), anthropic::parse_rate_limits(bytes));
    if let Ok(page) = parse_model_list("somebody", bytes) {
        let mut table = ModelTable::empty();
        for facts in page.items {
            assert!(table.insert(facts).is_ok());
        }
    }
    let Ok(body) = serde_json::from_slice(bytes) else { return };
    for request in [ChatRequest::from_openai(&body), ChatRequest::from_anthropic(&body)].into_iter().flatten() {
        for form in Form::ALL {
            let _ = form.payload(&request, &ChatDialect::COMPATIBLE);
        }
        let Ok((request, _)) = request.for_another_provider() else { continue };
        for form in Form::ALL {
            for dialect in ["openai", "openrouter", "mistral", "deepseek"] {
                let _ = form.payload(&request, ChatDialect::of(dialect));
            }
        }
    }
});
