//! All questions about the limits and the credit of an account, in the order in which they have to be asked.

use std::collections::VecDeque;

use super::openrouter::{Credits, KeyStatus};
use super::{DiscoveryError, DiscoveryRequest, Page, ScopeLimits, anthropic, openai, openrouter};

/// What a provider says about an account.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Account {
    /// The limits of each set of models that share them.
    pub scopes: Vec<ScopeLimits>,
    /// What the key may still spend, in US dollars; `None` where it has no bound of its own, or that is not told.
    pub key_credit: Option<f64>,
    /// What the account may still spend, in US dollars; `None` where that is not told.
    pub account_credit: Option<f64>,
    /// The projects that limits were told for. With several, whose limits differ, nobody knows which the key belongs to.
    pub projects: Vec<String>,
}

impl Account {
    /// Whether the key or the account may spend nothing any more.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        [self.key_credit, self.account_credit].into_iter().flatten().any(|dollars| dollars <= 0.0)
    }
}

/// So many answers are read at most: a list that always has another page comes to an end.
const MOST_ANSWERS: usize = 200;

/// The questions about one account. Nothing is sent here: a caller takes the next [`question`](Self::question), sends it,
/// and passes the body of the answer to [`answer`](Self::answer), until there is no further question.
///
/// ```
/// use providers::discovery::AccountInquiry;
///
/// let mut inquiry = AccountInquiry::of("openrouter", None).unwrap();
/// assert_eq!(inquiry.question().unwrap().path, "/v1/key");
/// inquiry.answer(br#"{"data": {"limit_remaining": 0, "usage": 5}}"#)?;
/// assert_eq!(inquiry.question().unwrap().path, "/v1/credits");
/// assert!(inquiry.refused(), "an ordinary key is not told the account's credit");
/// assert!(inquiry.question().is_none());
/// assert!(inquiry.finish().is_exhausted());
/// # Ok::<(), providers::discovery::DiscoveryError>(())
/// ```
#[derive(Clone, Debug)]
pub struct AccountInquiry {
    questions: VecDeque<Question>,
    answers: usize,
    account: Account,
}

#[derive(Clone, Debug)]
enum Question {
    OpenAiProjects { after: Option<String> },
    OpenAiLimits { project: String, after: Option<String> },
    AnthropicLimits { page: Option<String> },
    OpenRouterKey,
    OpenRouterCredits,
}

impl AccountInquiry {
    /// The questions to the provider of this name; `None` where it tells no limits when it is asked. `project` is the one
    /// to ask for, where a provider has several.
    #[must_use]
    pub fn of(provider: &str, project: Option<&str>) -> Option<Self> {
        let questions = match (provider, project) {
            ("openai", Some(project)) => vec![Question::OpenAiLimits { project: project.to_owned(), after: None }],
            ("openai", None) => vec![Question::OpenAiProjects { after: None }],
            ("anthropic", _) => vec![Question::AnthropicLimits { page: None }],
            ("openrouter", _) => vec![Question::OpenRouterKey, Question::OpenRouterCredits],
            _ => return None,
        };
        Some(Self { questions: questions.into(), answers: 0, account: Account::default() })
    }

    /// What to ask next; `None` when everything is known.
    #[must_use]
    pub fn question(&self) -> Option<DiscoveryRequest> {
        Some(match self.questions.front()? {
            Question::OpenAiProjects { after } => openai::projects_request(after.as_deref()),
            Question::OpenAiLimits { project, after } => openai::rate_limits_request(project, after.as_deref()),
            Question::AnthropicLimits { page } => anthropic::rate_limits_request(page.as_deref()),
            Question::OpenRouterKey => openrouter::key_request(),
            Question::OpenRouterCredits => openrouter::credits_request(),
        })
    }

    /// Takes in the body of the successful answer to [`question`](Self::question).
    ///
    /// # Errors
    ///
    /// [`DiscoveryError`] where it is of an altogether different shape; then the question stays.
    pub fn answer(&mut self, body: &[u8]) -> Result<(), DiscoveryError> {
        let Some(question) = self.questions.front().cloned() else { return Ok(()) };
        let again = match question {
            Question::OpenAiProjects { after } => {
                let page = openai::parse_projects(body)?;
                let next = next_page(&page, after.as_deref());
                let limits = |project| Question::OpenAiLimits { project, after: None };
                self.questions.extend(page.items.into_iter().map(limits));
                next.map(|after| Question::OpenAiProjects { after: Some(after) })
            }
            Question::OpenAiLimits { project, after } => {
                let page = openai::parse_rate_limits(body)?;
                let next = next_page(&page, after.as_deref());
                self.account.scopes.extend(page.items);
                if !self.account.projects.contains(&project) {
                    self.account.projects.push(project.clone());
                }
                next.map(|after| Question::OpenAiLimits { project, after: Some(after) })
            }
            Question::AnthropicLimits { page } => {
                let answer = anthropic::parse_rate_limits(body)?;
                let next = next_page(&answer, page.as_deref());
                self.account.scopes.extend(answer.items);
                next.map(|page| Question::AnthropicLimits { page: Some(page) })
            }
            Question::OpenRouterKey => {
                self.account.learn_key(&openrouter::parse_key(body)?);
                None
            }
            Question::OpenRouterCredits => {
                let credits: Credits = openrouter::parse_credits(body)?;
                self.account.account_credit = Some(credits.remaining());
                None
            }
        };
        self.questions.pop_front();
        self.answers += 1;
        if let Some(again) = again {
            self.questions.push_front(again);
        }
        if self.answers >= MOST_ANSWERS {
            self.questions.clear();
        }
        Ok(())
    }

    /// The key may not ask the [`question`](Self::question): whether that is no failure, because the question was one more
    /// that a better key is told. It is left out then.
    pub fn refused(&mut self) -> bool {
        let is_extra = matches!(self.questions.front(), Some(Question::OpenRouterCredits));
        if is_extra {
            self.questions.pop_front();
        }
        is_extra
    }

    /// What was told.
    #[must_use]
    pub fn finish(self) -> Account {
        self.account
    }
}

impl Account {
    fn learn_key(&mut self, status: &KeyStatus) {
        self.key_credit = status.limit_remaining;
        self.scopes.extend(status.limits());
    }
}

/// What leads to the next page; a page that leads to itself would be read again and again.
fn next_page<T>(page: &Page<T>, last: Option<&str>) -> Option<String> {
    page.next.clone().filter(|next| Some(next.as_str()) != last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answered(inquiry: &mut AccountInquiry, path: &str, body: serde_json::Value) {
        assert_eq!(inquiry.question().map(|question| question.path).as_deref(), Some(path));
        inquiry.answer(body.to_string().as_bytes()).unwrap();
    }

    #[test]
    fn each_project_of_an_organization_is_asked_page_by_page() {
        let mut inquiry = AccountInquiry::of("openai", None).unwrap();
        answered(&mut inquiry, "/v1/organization/projects?limit=100", json!({"data": [{"id": "p"}, {"id": "q"}]}));
        let limit = |model: &str, amount: u64| json!({"model": model, "max_requests_per_1_minute": amount});
        let first = json!({"data": [limit("a", 5)], "has_more": true, "last_id": "x"});
        answered(&mut inquiry, "/v1/organization/projects/p/rate_limits?limit=100", first);
        let second = "/v1/organization/projects/p/rate_limits?limit=100&after=x";
        // It says that there is more, and leads to itself.
        answered(&mut inquiry, second, json!({"data": [limit("b", 6)], "has_more": true, "last_id": "x"}));
        answered(&mut inquiry, "/v1/organization/projects/q/rate_limits?limit=100", json!({"data": []}));
        assert!(inquiry.question().is_none());
        let account = inquiry.finish();
        let models: Vec<_> = account.scopes.iter().map(|scope| scope.scope.as_str()).collect();
        assert_eq!((models, account.projects), (vec!["a", "b"], vec!["p".to_owned(), "q".to_owned()]));
    }

    #[test]
    fn a_list_without_an_end_comes_to_one() {
        let mut inquiry = AccountInquiry::of("anthropic", None).unwrap();
        let mut count = 0;
        while inquiry.question().is_some() {
            inquiry.answer(json!({"data": [], "next_page": format!("{count}")}).to_string().as_bytes()).unwrap();
            count += 1;
        }
        assert_eq!(count, MOST_ANSWERS);
    }

    #[test]
    fn an_answer_of_another_shape_leaves_the_question() {
        let mut inquiry = AccountInquiry::of("openrouter", None).unwrap();
        assert!(inquiry.answer(b"<html>").is_err());
        assert!(!inquiry.refused(), "the key must be told what it may spend");
        assert_eq!(inquiry.question().unwrap().path, "/v1/key");
        assert!(AccountInquiry::of("groq", None).is_none());
    }

    #[test]
    fn credit_is_used_up_when_nothing_is_left_of_either() {
        let check = |key_credit, account_credit, expected| {
            let account = Account { key_credit, account_credit, ..Account::default() };
            assert_eq!(account.is_exhausted(), expected, "{key_credit:?} {account_credit:?}");
        };
        check(None, None, false);
        check(Some(1.0), Some(0.5), false);
        check(Some(0.0), None, true);
        check(Some(1.0), Some(-0.1), true);
    }
}
