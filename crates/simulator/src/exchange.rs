//! The path of one request: read, admitted, worked on, answered.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use serde_json::Value;
use thiserror::Error;

use crate::account::{Account, Decision, Ticket};
use crate::clock::http_date;
use crate::disturbance;
use crate::faces::{Exchange, Face, Limited as Refused, Operation, Problem, Reply};
use crate::faults::Fault;
use crate::latency::Latency;
use crate::quota::Reading;
use crate::random::{Random, hash};
use crate::stream::EventStream;
use crate::telling::ReadAt;
use crate::text::Answer;
use crate::work::Work;

/// The largest body that is read, in bytes: Anthropic's documented 32 MB.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// The body of an answer.
pub(crate) type Answered = Either<Full<Bytes>, EventStream>;

/// The connection ends without an answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// On purpose.
    #[error("the connection was dropped on purpose")]
    OnPurpose,
    /// The client left while it was sending.
    #[error("the client left before its request was complete")]
    ClientLeft,
}

/// Answers one request.
pub(crate) async fn answer<B>(account: Arc<Account>, request: Request<B>) -> Result<Response<Answered>, Dropped>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let number = account.arrive();
    if disturbance::stopped(&account.config.disturbances, account.clock.elapsed()) {
        account.record(|statistics| statistics.faults.stopped += 1);
        return Err(Dropped::OnPurpose);
    }
    let (head, body) = request.into_parts();
    let arrived = account.clock.calendar(account.clock.now());
    let exchange = Exchange { seed: account.config.seed, number, prompt: 0, arrived };
    let (face, operation) = match route(&account, &head) {
        Ok(route) => route,
        Err((face, problem)) => return Ok(Path { account, face, exchange }.refuse(&problem)),
    };
    let bytes = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Ok(Path { account, face, exchange }.refuse(&Problem::BodyTooLarge));
        }
        Err(_) => {
            account.record(|statistics| statistics.abandoned += 1);
            return Err(Dropped::ClientLeft);
        }
    };
    let exchange = Exchange { prompt: hash(&bytes), ..exchange };
    Path { account, face, exchange }.follow(operation, &bytes).await
}

/// Finds the endpoint and checks method and key.
fn route(account: &Account, head: &Parts) -> Result<(Face, Operation), (Face, Problem)> {
    let (method, path) = (head.method.clone(), head.uri.path().to_owned());
    let Some((face, operation)) = Operation::at(&path) else {
        return Err((Face::nearest(head), Problem::UnknownPath { method, path }));
    };
    if method != operation.method() {
        return Err((face, Problem::WrongMethod { method, path, allowed: operation.method() }));
    }
    if let Some(key) = &account.config.api_key {
        match face.sent_key(&head.headers) {
            None | Some("") => return Err((face, Problem::NoKey)),
            Some(sent) if !key.is(sent) => return Err((face, Problem::WrongKey)),
            Some(_) => {}
        }
    }
    Ok((face, operation))
}

/// A request whose endpoint is known.
struct Path {
    account: Arc<Account>,
    face: Face,
    exchange: Exchange,
}

impl Path {
    async fn follow(self, operation: Operation, bytes: &[u8]) -> Result<Response<Answered>, Dropped> {
        let config = &self.account.config;
        let work = match read(operation, bytes) {
            Ok(Some(work)) => work.counted(config.prompt_factor, config.cached_share),
            Ok(None) => return Ok(self.tell(operation, &Work::default())),
            Err(problem) => return Ok(self.refuse(&problem)),
        };
        if operation == Operation::CountTokens {
            return Ok(self.tell(operation, &work));
        }
        let decision = self.account.admit(self.face, &work);
        match decision.outcome {
            Ok(ticket) => self.work(operation, &work, &(decision.readings, decision.at), ticket).await,
            Err(_) => Ok(self.limited(work, decision)),
        }
    }

    /// Does the work of a request that was let in, or fails at it on purpose.
    async fn work(
        self,
        operation: Operation,
        work: &Work,
        admitted: &(Vec<Reading>, Duration),
        mut ticket: Ticket,
    ) -> Result<Response<Answered>, Dropped> {
        let config = &self.account.config;
        let drawn = config.faults.draw(config.seed, self.exchange.number);
        let fault = if disturbance::failing(&config.disturbances, self.account.clock.elapsed()) {
            Some(Fault::Overloaded)
        } else {
            drawn
        };
        let fault = fault.filter(|&fault| fault != Fault::StreamBreak || work.stream);
        if let Some(fault) = fault.filter(|&fault| fault != Fault::StreamBreak) {
            ticket.failed(fault);
        }
        match fault {
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Reset) => return Err(Dropped::OnPurpose),
            Some(Fault::Overloaded) => return Ok(self.fail(&Problem::Overloaded, self.limits(work, admitted))),
            Some(Fault::ServerError | Fault::Garbage | Fault::StreamBreak) | None => {}
        }
        let latency = self.latency();
        pause(latency.to_answer).await;
        match fault {
            Some(Fault::ServerError) => return Ok(self.fail(&Problem::ServerError, self.limits(work, admitted))),
            Some(Fault::Garbage) => return Ok(self.garbage(self.limits(work, admitted))),
            _ => {}
        }
        let answers = self.answers(work);
        let tokens: u64 = answers.iter().map(|answer| answer.tokens).sum();
        if work.stream {
            let breaks_after = (fault == Some(Fault::StreamBreak)).then(|| self.random().below(tokens));
            let events = self.face.events(operation, work, &answers, &self.exchange);
            let limits = self.limits(work, admitted);
            let body = EventStream::new(events, latency.per_output_token, breaks_after, ticket);
            return Ok(self.respond(StatusCode::OK, "text/event-stream; charset=utf-8", limits, Either::Right(body)));
        }
        pause(times(latency.per_output_token, tokens)).await;
        ticket.produce(tokens);
        ticket.answered();
        // What is told at the end is told after the settlement.
        drop(ticket);
        let limits = self.limits(work, admitted);
        let body = self.face.answer(operation, work, &answers, &self.exchange);
        Ok(self.json(Reply { status: StatusCode::OK, headers: limits, body }))
    }

    /// The headers that tell the limits on an answer to `work`, which were as in `admitted` when it was let in.
    fn limits(&self, work: &Work, admitted: &(Vec<Reading>, Duration)) -> HeaderMap {
        let config = &self.account.config;
        if !config.headers.tells_on_success() {
            return HeaderMap::new();
        }
        let of = |(readings, at): &(Vec<Reading>, Duration)| self.face.limit_headers(readings, *at, config.telling);
        match config.telling.read_at {
            ReadAt::Admission => of(admitted),
            ReadAt::Answer => of(&self.account.readings(self.face, work)),
        }
    }

    /// How long this request takes.
    fn latency(&self) -> Latency {
        Latency::draw(&self.account.config, self.exchange.number)
    }

    fn answers(&self, work: &Work) -> Vec<Answer> {
        let config = &self.account.config;
        let answer =
            |choice| Answer::new(config.seed, self.exchange.prompt, choice, config.output_tokens, work.ceiling);
        (0..work.choices).map(answer).collect()
    }

    fn random(&self) -> Random {
        Random::keyed(&[self.exchange.seed, self.exchange.number, self.exchange.prompt])
    }

    /// Answers what costs nothing.
    fn tell(&self, operation: Operation, work: &Work) -> Response<Answered> {
        self.account.record(|statistics| statistics.answered += 1);
        self.json(Reply::new(StatusCode::OK, self.face.answer(operation, work, &[], &self.exchange)))
    }

    /// Answers a request that was not let in.
    fn limited(&self, work: Work, decision: Decision) -> Response<Answered> {
        let Err(mut refusal) = decision.outcome else { return self.refuse(&Problem::ServerError) };
        if let Some((wait, told)) = refusal.wait.as_mut().zip(self.account.config.retry_after) {
            *wait = told;
        }
        let problem = Problem::Limited(Box::new(Refused {
            model: work.model,
            refusal,
            readings: decision.readings,
            at: decision.at,
            said: refusal.said.unwrap_or_else(|| self.account.config.headers.of_refusal()),
            telling: self.account.config.telling,
        }));
        if refusal.wait.is_none() {
            return self.refuse(&problem);
        }
        self.account.record(|statistics| statistics.rate_limited += 1);
        self.json(self.face.refuse(&problem, &self.exchange))
    }

    fn refuse(&self, problem: &Problem) -> Response<Answered> {
        self.account.record(|statistics| statistics.refused_other += 1);
        self.json(self.face.refuse(problem, &self.exchange))
    }

    /// Answers with an error that the provider is to blame for; its limits are told as on any answer.
    fn fail(&self, problem: &Problem, limits: HeaderMap) -> Response<Answered> {
        let mut reply = self.face.refuse(problem, &self.exchange);
        reply.headers.extend(limits);
        self.json(reply)
    }

    /// A body that starts like JSON and is none.
    fn garbage(&self, limits: HeaderMap) -> Response<Answered> {
        let mut random = self.random();
        let noise = (0..64).flat_map(|_| random.next_u64().to_le_bytes());
        let body: Vec<u8> = b"{\"id\": \"".iter().copied().chain(noise).collect();
        self.respond(StatusCode::OK, "application/json", limits, Either::Left(Full::from(body)))
    }

    fn json(&self, reply: Reply) -> Response<Answered> {
        let body = Either::Left(Full::from(reply.body.to_string()));
        self.respond(reply.status, "application/json", reply.headers, body)
    }

    fn respond(
        &self,
        status: StatusCode,
        content_type: &'static str,
        headers: HeaderMap,
        body: Answered,
    ) -> Response<Answered> {
        let clock = &self.account.clock;
        let now = clock.calendar(clock.now());
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let all = response.headers_mut();
        all.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Ok(date) = HeaderValue::try_from(http_date(now)) {
            all.insert(header::DATE, date);
        }
        all.extend(self.face.common_headers(&self.exchange, now.saturating_sub(self.exchange.arrived)));
        all.extend(headers);
        response
    }
}

/// Reads the work out of a body; `None` for the endpoints that have none.
fn read(operation: Operation, bytes: &[u8]) -> Result<Option<Work>, Problem> {
    if matches!(operation, Operation::Models | Operation::Key) {
        return Ok(None);
    }
    let body: Value = serde_json::from_slice(bytes).map_err(|_| Problem::NotJson)?;
    Work::parse(operation, &body).map(Some)
}

async fn pause(span: Duration) {
    if !span.is_zero() {
        tokio::time::sleep(span).await;
    }
}

/// `span` once for each of `count`.
fn times(span: Duration, count: u64) -> Duration {
    let nanoseconds = span.as_nanos().saturating_mul(u128::from(count));
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}
