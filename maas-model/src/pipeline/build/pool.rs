//! One pool and its queues.

use std::collections::HashMap;

use super::names::Names;
use crate::message::{Binding, QueueName};
use crate::pipeline::flow::QueueRef;
use crate::pipeline::report::{At, Pin};
use crate::pipeline::sections::Entry;
use crate::pipeline::text::{PoolText, QueueText};
use crate::pipeline::wiring::Subject;
use crate::pipeline::{Pool, Queue};

impl Names<'_, '_> {
    pub(super) fn pool(&mut self, entry: Entry<PoolText>, pool: usize) -> Pool {
        let Entry { at, text, .. } = entry;
        self.take_name("pool", &text.name, &at);
        let fetched = u16::try_from(text.concurrency).unwrap_or(u16::MAX);
        if text.prefetch.is_some_and(|prefetch| prefetch < fetched) {
            let hint = Some(format!("at least `concurrency`: {fetched}"));
            let message = "fewer messages are fetched than worked on";
            self.reports
                .error(&at.below("prefetch"), Pin::Value, message, hint);
        }
        let mut bound = HashMap::new();
        let queues_at = at.below("queues");
        let mut queues: Vec<Queue> = Vec::new();
        for (index, queue) in text.queues.iter().enumerate() {
            let at = queues_at.item(index);
            self.queue_name(queue, &text.name, &at);
            queues.push(self.queue(queue, &at, &mut bound, QueueRef { pool, queue: index }));
        }
        Pool {
            name: text.name,
            concurrency: text.concurrency,
            prefetch: text.prefetch.unwrap_or(fetched.max(16)),
            queues,
            report_exchange: text.report_exchange,
            max_tries: text.max_tries,
            engine_timeout_seconds: text.engine_timeout_seconds,
        }
    }

    fn queue_name(&mut self, text: &QueueText, pool: &str, at: &At) {
        if let Some(other) = self.queues.insert(text.name.clone(), pool.to_owned()) {
            let message = format!("pool `{other}` has a queue `{}` already", text.name);
            let hint =
                "two workers on one queue would share its messages: give it a name of its own";
            self.reports.error(
                &at.below("name"),
                Pin::Value,
                message,
                Some(hint.to_owned()),
            );
        }
    }

    /// `bound`: what the queues of this pool before it take.
    fn queue(
        &mut self,
        text: &QueueText,
        at: &At,
        bound: &mut HashMap<Binding, QueueName>,
        queue: QueueRef,
    ) -> Queue {
        self.origins.add(Subject::Queue(queue), at.below("name"));
        let mut bindings = Vec::new();
        for (exchange, patterns) in &text.from {
            for (index, pattern) in patterns.iter().enumerate() {
                let at = at.below("from").below(exchange.as_str()).item(index);
                let binding = Binding {
                    exchange: exchange.clone(),
                    pattern: pattern.clone(),
                };
                if let Some(other) = bound.insert(binding.clone(), text.name.clone()) {
                    // Of old files this was told already.
                    if !self.lenient {
                        let message =
                            format!("queue `{other}` of this pool takes `{pattern}` already");
                        let hint = Some("put the engines of both into one queue".to_owned());
                        self.reports.error(&at, Pin::Value, message, hint);
                    }
                }
                self.origins
                    .add(Subject::Binding(queue, bindings.len()), at);
                bindings.push(binding);
            }
        }
        let steps_at = at.below("engines");
        let mut engines = Vec::new();
        for (index, step) in text.engines.iter().enumerate() {
            let at = steps_at.item(index);
            match self.step(step, &at) {
                Some(step) => {
                    self.origins.add(Subject::Step(queue, engines.len()), at);
                    engines.push(step);
                }
                None => self.producers_unknown = true,
            }
        }
        Queue {
            name: text.name.clone(),
            kind: text.kind,
            bindings,
            engines,
        }
    }
}
