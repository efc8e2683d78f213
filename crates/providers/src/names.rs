//! The names by which providers say what is wrong, and what they mean.
//!
//! A name stands in `code`, `type` or a field like them and is compared whole. Each list holds what was seen in recorded
//! answers or stands in a provider's documentation; what is not listed is judged by words and status.

use crate::ErrorKind;

/// The kind that a name tells, whatever the status.
pub(crate) fn kind_of(name: &str) -> Option<ErrorKind> {
    NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, kind)| *kind)
}

/// The kind that a name tells where the status tells nothing: inside a success, and where the status is a server's.
pub(crate) fn kind_of_weak(name: &str) -> Option<ErrorKind> {
    WEAK_NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, kind)| *kind)
}

const NAMES: &[(&str, ErrorKind)] = &[
    // OpenAI; many copy its names.
    ("insufficient_quota", ErrorKind::QuotaExhausted),
    ("billing_hard_limit_reached", ErrorKind::QuotaExhausted),
    ("billing_not_active", ErrorKind::QuotaExhausted),
    ("context_length_exceeded", ErrorKind::TooLarge),
    ("string_above_max_length", ErrorKind::TooLarge),
    ("resource_unavailable", ErrorKind::Overloaded),
    ("invalid_api_key", ErrorKind::Authentication),
    ("model_not_found", ErrorKind::NotFound),
    ("model_decommissioned", ErrorKind::NotFound),
    // Anthropic
    ("billing_error", ErrorKind::QuotaExhausted),
    ("enforced_spend_limit_reached", ErrorKind::QuotaExhausted),
    ("request_too_large", ErrorKind::TooLarge),
    ("overloaded_error", ErrorKind::Overloaded),
    ("authentication_error", ErrorKind::Authentication),
    // OpenRouter
    ("payment_required", ErrorKind::QuotaExhausted),
    ("payload_too_large", ErrorKind::TooLarge),
    ("provider_overloaded", ErrorKind::Overloaded),
    ("capacity_exhausted", ErrorKind::Overloaded),
    // Others: DashScope, Together, Moonshot, DeepSeek, SambaNova, Perplexity, Cohere, Groq, Cerebras
    ("arrearage", ErrorKind::QuotaExhausted),
    // LiteLLM's proxy, llama.cpp
    ("budget_exceeded", ErrorKind::QuotaExhausted),
    ("exceed_context_size_error", ErrorKind::TooLarge),
    ("credit_limit", ErrorKind::QuotaExhausted),
    ("exceeded_current_quota_error", ErrorKind::QuotaExhausted),
    ("insufficient_balance", ErrorKind::QuotaExhausted),
    ("insufficient_credits", ErrorKind::QuotaExhausted),
    ("payment_method_required", ErrorKind::QuotaExhausted),
    ("too_many_prompt_tokens", ErrorKind::TooLarge),
    ("too_many_tokens", ErrorKind::TooLarge),
    ("capacity_exceeded", ErrorKind::Overloaded),
    ("queue_exceeded", ErrorKind::Overloaded),
    // Google
    ("api_key_invalid", ErrorKind::Authentication),
    ("unauthenticated", ErrorKind::Authentication),
    // Amazon
    ("ServiceQuotaExceededException", ErrorKind::QuotaExhausted),
    ("ModelNotReadyException", ErrorKind::Overloaded),
    ("ModelTimeoutException", ErrorKind::Transient),
    ("ModelErrorException", ErrorKind::Transient),
    ("ModelStreamErrorException", ErrorKind::Transient),
    ("ExpiredTokenException", ErrorKind::Authentication),
    ("UnrecognizedClientException", ErrorKind::Authentication),
    ("InvalidSignatureException", ErrorKind::Authentication),
    ("IncompleteSignatureException", ErrorKind::Authentication),
];

const WEAK_NAMES: &[(&str, ErrorKind)] = &[
    ("rate_limit_error", ErrorKind::RateLimited),
    ("rate_limit_exceeded", ErrorKind::RateLimited),
    ("rate_limited", ErrorKind::RateLimited),
    ("RateLimitReached", ErrorKind::RateLimited),
    ("too_many_requests", ErrorKind::RateLimited),
    ("too_many_requests_error", ErrorKind::RateLimited),
    ("request_quota_exceeded", ErrorKind::RateLimited),
    ("token_quota_exceeded", ErrorKind::RateLimited),
    ("RESOURCE_EXHAUSTED", ErrorKind::RateLimited),
    ("ThrottlingException", ErrorKind::RateLimited),
    ("api_error", ErrorKind::Transient),
    ("server_error", ErrorKind::Transient),
    ("internal_server_error", ErrorKind::Transient),
    ("INTERNAL", ErrorKind::Transient),
    ("InternalServerException", ErrorKind::Transient),
    ("timeout_error", ErrorKind::Transient),
    ("timeout", ErrorKind::Transient),
    ("DEADLINE_EXCEEDED", ErrorKind::Transient),
    ("provider_unavailable", ErrorKind::Transient),
    ("service_unavailable", ErrorKind::Overloaded),
    ("UNAVAILABLE", ErrorKind::Overloaded),
    ("ServiceUnavailableException", ErrorKind::Overloaded),
    ("authentication", ErrorKind::Authentication),
    ("permission_error", ErrorKind::Permission),
    ("permission_denied", ErrorKind::Permission),
    ("AccessDeniedException", ErrorKind::Permission),
    ("not_found_error", ErrorKind::NotFound),
    ("not_found", ErrorKind::NotFound),
    ("ResourceNotFoundException", ErrorKind::NotFound),
    ("invalid_request_error", ErrorKind::Invalid),
    ("invalid_request", ErrorKind::Invalid),
    ("INVALID_ARGUMENT", ErrorKind::Invalid),
    ("FAILED_PRECONDITION", ErrorKind::Invalid),
    ("ValidationException", ErrorKind::Invalid),
    ("tool_use_failed", ErrorKind::Invalid),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(kind_of("PAYMENT_METHOD_REQUIRED"), Some(ErrorKind::QuotaExhausted));
        assert_eq!(kind_of_weak("resource_exhausted"), Some(ErrorKind::RateLimited));
        assert_eq!(kind_of(""), None);
    }
}
