//! Checks which interface starts after which: every name is known, and no interface waits for itself.

use std::collections::HashMap;

use super::report::{Pin, Reports};
use super::sections::Entry;
use super::text::InterfaceText;
use crate::plugin::suggestion;

/// `complete`: all interfaces could be read, so that a name that is not among them is wrong.
pub(super) fn check(interfaces: &[Entry<InterfaceText>], complete: bool, reports: &mut Reports) {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for (number, interface) in interfaces.iter().enumerate() {
        // Of interfaces of one name the first counts; the others are told elsewhere.
        numbers.entry(&interface.text.name).or_insert(number);
    }
    if complete {
        unknown(interfaces, &numbers, reports);
    }
    circles(interfaces, &numbers, reports);
}

fn unknown(
    interfaces: &[Entry<InterfaceText>],
    numbers: &HashMap<&str, usize>,
    reports: &mut Reports,
) {
    for Entry { at, text, .. } in interfaces {
        for (index, name) in text.after.iter().enumerate() {
            if !numbers.contains_key(name.as_str()) {
                let known = interfaces.iter().map(|entry| entry.text.name.as_str());
                reports.error(
                    &at.below("after").item(index),
                    Pin::Value,
                    format!("unknown interface `{name}`"),
                    suggestion(name, known),
                );
            }
        }
    }
}

/// Tells every circle once, where the first of its interfaces names the next.
fn circles(
    interfaces: &[Entry<InterfaceText>],
    numbers: &HashMap<&str, usize>,
    reports: &mut Reports,
) {
    // Of each interface those it waits for, with their places in `after`.
    let mut waits: Vec<Vec<(usize, usize)>> = interfaces
        .iter()
        .map(|interface| {
            let names = interface.text.after.iter().enumerate();
            names
                .filter_map(|(index, name)| Some((index, *numbers.get(name.as_str())?)))
                .collect()
        })
        .collect();
    while let Some(circle) = circle(&waits) {
        let (first, second) = (circle[0], circle[1 % circle.len()]);
        let edge = waits[first].iter().position(|(_, next)| *next == second);
        let Some(edge) = edge else { return };
        // Told; what remains are other circles.
        let (index, _) = waits[first].remove(edge);
        let names: Vec<String> = (circle.iter().chain([&first]))
            .map(|number| format!("`{}`", interfaces[*number].text.name))
            .collect();
        reports.error(
            &interfaces[first].at.below("after").item(index),
            Pin::Value,
            format!("none of these could ever start: {}", names.join(" after ")),
            Some("remove one of them from the other's `after`".to_owned()),
        );
    }
}

/// Some circle, from its first interface on: who waits for nobody is taken away until everybody left
/// waits for somebody left.
fn circle(waits: &[Vec<(usize, usize)>]) -> Option<Vec<usize>> {
    let mut started = vec![false; waits.len()];
    loop {
        let free = (0..waits.len()).find(|number| {
            !started[*number] && waits[*number].iter().all(|(_, next)| started[*next])
        });
        match free {
            Some(number) => started[number] = true,
            None => break,
        }
    }
    let mut path: Vec<usize> = Vec::new();
    let mut number = started.iter().position(|started| !started)?;
    loop {
        if let Some(begin) = path.iter().position(|known| *known == number) {
            let mut circle = path.split_off(begin);
            let first = (0..circle.len()).min_by_key(|place| circle[*place])?;
            circle.rotate_left(first);
            return Some(circle);
        }
        path.push(number);
        number = waits[number]
            .iter()
            .find(|(_, next)| !started[*next])
            .map(|(_, next)| *next)?;
    }
}
