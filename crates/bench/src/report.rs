//! What a measurement prints: a table for people, or JSON for programs.

use std::fmt;

use serde::Serialize;

use crate::console;

/// All that one command prints.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) sections: Vec<Section>,
    /// Lines after the table. They are for people.
    pub(crate) notes: Vec<String>,
}

/// Rows that belong together.
#[derive(Debug)]
pub(crate) struct Section {
    title: String,
    pub(crate) rows: Vec<Row>,
    /// The share of the measurements during which other programs were in the way.
    pub(crate) disturbed: f64,
}

/// One measured value, and what it is compared with.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// `None` where nothing came of it.
    pub(crate) value: Option<f64>,
    pub(crate) unit: &'static str,
    pub(crate) instructions: Count,
    pub(crate) versus: Option<Versus>,
    /// Of the value to that of the peer.
    pub(crate) ratio: Option<f64>,
    pub(crate) goal: Option<Goal>,
    /// What else there is to say. It is for people.
    pub(crate) remark: String,
}

/// What a value is compared with.
#[derive(Debug)]
pub(crate) struct Versus {
    pub(crate) name: String,
    pub(crate) value: Option<f64>,
    pub(crate) instructions: Count,
}

/// Instructions for each operation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Count {
    Of(f64),
    /// They would be counted, where valgrind is installed.
    NotAvailable,
    /// The number would say nothing.
    #[default]
    NotCounted,
}

impl Count {
    fn number(self) -> Option<f64> {
        match self {
            Self::Of(count) => Some(count),
            Self::NotAvailable | Self::NotCounted => None,
        }
    }

    fn shown(self) -> String {
        match self {
            Self::Of(count) => format!("{count:.0}"),
            Self::NotAvailable => "n/a".to_owned(),
            Self::NotCounted => String::new(),
        }
    }
}

/// What is good enough.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    RatioAtMost(f64),
    RatioAtLeast(f64),
    ValueAtMost(f64),
    ValueAtLeast(f64),
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RatioAtMost(most) => write!(f, "ratio <= {most:?}"),
            Self::RatioAtLeast(least) => write!(f, "ratio >= {least:?}"),
            Self::ValueAtMost(most) => write!(f, "value <= {most:.0}"),
            Self::ValueAtLeast(least) => write!(f, "value >= {least:.0}"),
        }
    }
}

/// One object of the JSON array.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    value: Option<f64>,
    unit: &'static str,
    versus: Option<String>,
    ratio: Option<f64>,
    goal: Option<String>,
    met: Option<bool>,
}

impl Section {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), rows: Vec::new(), disturbed: 0.0 }
    }

    /// The rows, and after them the peers, which stand in the rows of the table.
    fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self.rows.iter().flat_map(|row| row.entries(&self.title)).collect();
        let mut told: Vec<&str> = self.rows.iter().map(|row| row.name.as_str()).collect();
        for (row, versus) in self.rows.iter().filter_map(|row| row.versus.as_ref().map(|versus| (row, versus))) {
            if told.contains(&versus.name.as_str()) {
                continue;
            }
            told.push(&versus.name);
            let (name, value, instructions) = (versus.name.clone(), versus.value, versus.instructions);
            let peer = Row { name, value, unit: row.unit, instructions, ..Row::default() };
            entries.extend(peer.entries(&self.title));
        }
        entries
    }
}

impl Row {
    /// Whether the goal is met, where there is one. What was not measured meets none.
    fn met(&self) -> Option<bool> {
        let (value, most) = match self.goal? {
            Goal::RatioAtMost(most) => (self.ratio, most),
            Goal::ValueAtMost(most) => (self.value, most),
            Goal::RatioAtLeast(least) => return Some(self.ratio.is_some_and(|ratio| ratio >= least)),
            Goal::ValueAtLeast(least) => return Some(self.value.is_some_and(|value| value >= least)),
        };
        Some(value.is_some_and(|value| value <= most))
    }

    /// The entries of this row: its value, and its instructions where they were counted.
    fn entries(&self, section: &str) -> Vec<Entry> {
        let name = format!("{section}: {}", self.name);
        let versus = self.versus.as_ref();
        let mut entries = vec![Entry {
            name: name.clone(),
            value: self.value.map(rounded),
            unit: self.unit,
            versus: versus.map(|it| it.name.clone()),
            ratio: self.ratio.map(rounded),
            goal: self.goal.map(|goal| goal.to_string()),
            met: self.met(),
        }];
        if let Some(instructions) = self.instructions.number() {
            let theirs = versus.and_then(|it| it.instructions.number());
            entries.push(Entry {
                name,
                value: Some(rounded(instructions)),
                unit: "instructions",
                versus: versus.filter(|_| theirs.is_some()).map(|it| it.name.clone()),
                ratio: theirs.map(|theirs| rounded(instructions / theirs)),
                goal: None,
                met: None,
            });
        }
        entries
    }

    /// The columns of the table.
    fn cells(&self) -> [String; COLUMNS] {
        let number = |value: Option<f64>| value.map(|value| shown(value, self.unit)).unwrap_or_default();
        let versus = self.versus.as_ref();
        [
            self.name.clone(),
            self.value.map_or_else(|| "-".to_owned(), |value| shown(value, self.unit)),
            self.unit.to_owned(),
            self.instructions.shown(),
            versus.map(|it| it.name.clone()).unwrap_or_default(),
            number(versus.and_then(|it| it.value)),
            versus.map(|it| it.instructions.shown()).unwrap_or_default(),
            self.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
            self.goal.map(|goal| goal.to_string()).unwrap_or_default(),
            match self.met() {
                Some(true) => "met",
                Some(false) => "NOT MET",
                None => "",
            }
            .to_owned(),
            self.remark.clone(),
        ]
    }
}

const COLUMNS: usize = 11;
const HEADINGS: [&str; COLUMNS] =
    ["", "value", "unit", "instr.", "versus", "value", "instr.", "ratio", "goal", "outcome", ""];
/// Names are aligned to the left, numbers to the right.
const IS_TEXT: [bool; COLUMNS] = [true, false, true, false, true, false, false, false, true, true, true];

impl Report {
    /// Prints all of it.
    ///
    /// # Errors
    ///
    /// A value that JSON cannot hold.
    pub(crate) fn print(&self, json: bool) -> anyhow::Result<()> {
        console::line(&if json { self.json()? } else { self.table() });
        Ok(())
    }

    fn json(&self) -> anyhow::Result<String> {
        let entries: Vec<Entry> = self.sections.iter().flat_map(Section::entries).collect();
        Ok(serde_json::to_string_pretty(&entries)?)
    }

    fn table(&self) -> String {
        let sections = self.sections.iter().map(|section| {
            let rows = section.rows.iter().map(Row::cells).collect::<Vec<_>>();
            let disturbed = match section.disturbed {
                share if share > 0.05 => {
                    format!("  (other programs were in the way of {:.0} % of it)\n", share * 100.0)
                }
                _ => String::new(),
            };
            format!("{}\n{}{disturbed}", section.title, aligned(&rows))
        });
        let mut text: Vec<String> = sections.collect();
        text.extend((!self.notes.is_empty()).then(|| self.notes.join("\n")));
        text.join("\n")
    }
}

/// The rows under their headings, without columns in which nothing stands.
fn aligned(rows: &[[String; COLUMNS]]) -> String {
    let headings = HEADINGS.map(str::to_owned);
    let mut lines = vec![String::new(); rows.len() + 1];
    for (column, is_text) in IS_TEXT.into_iter().enumerate() {
        let cell = |row: &[String; COLUMNS]| row.get(column).cloned().unwrap_or_default();
        if rows.iter().all(|row| cell(row).is_empty()) {
            continue;
        }
        let cells: Vec<String> = std::iter::once(&headings).chain(rows).map(cell).collect();
        let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or_default();
        for (line, cell) in lines.iter_mut().zip(cells) {
            line.push_str("  ");
            line.push_str(&if is_text { format!("{cell:<width$}") } else { format!("{cell:>width$}") });
        }
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// As many digits as mean something.
fn shown(value: f64, unit: &str) -> String {
    match unit {
        "bytes" => format!("{value:.0}"),
        _ if value < 1_000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: f64, ratio: f64, goal: Option<Goal>) -> Row {
        let versus = Versus { name: "theirs".to_owned(), value: Some(2.0), instructions: Count::Of(100.0) };
        Row {
            name: "ours".to_owned(),
            value: Some(value),
            unit: "ns",
            instructions: Count::Of(150.0),
            versus: Some(versus),
            ratio: Some(ratio),
            goal,
            remark: String::new(),
        }
    }

    #[test]
    fn a_goal_is_met_or_not_and_what_was_not_measured_meets_none() {
        fn check(row: &Row, expected: Option<bool>) {
            assert_eq!(row.met(), expected, "{row:?}");
        }
        check(&row(3.0, 1.0, None), None);
        check(&row(3.0, 1.0, Some(Goal::RatioAtMost(1.0))), Some(true));
        check(&row(3.0, 1.001, Some(Goal::RatioAtMost(1.0))), Some(false));
        check(&row(3.0, 0.95, Some(Goal::RatioAtLeast(0.95))), Some(true));
        check(&row(3.0, 0.949, Some(Goal::RatioAtLeast(0.95))), Some(false));
        check(&row(128.0, 9.0, Some(Goal::ValueAtMost(128.0))), Some(true));
        check(&row(129.0, 0.0, Some(Goal::ValueAtMost(128.0))), Some(false));
        check(&row(500.0, 0.0, Some(Goal::ValueAtLeast(500.0))), Some(true));
        check(&row(499.0, 0.0, Some(Goal::ValueAtLeast(500.0))), Some(false));
        check(&Row { ratio: None, ..row(1.0, 0.0, Some(Goal::RatioAtMost(1.0))) }, Some(false));
    }

    #[test]
    fn the_table_says_what_is_not_met_and_leaves_empty_columns_out() {
        let rows = vec![row(3.0, 1.5, Some(Goal::RatioAtMost(1.0))), Row { name: "a".to_owned(), ..bare(7.25) }];
        let report =
            Report { sections: vec![Section { rows, ..Section::new("Title") }], notes: vec!["A note.".into()] };
        let expected = "Title\n        \
             value  unit  instr.  versus  value  instr.  ratio  goal          outcome\n  \
             ours    3.0  ns       150  theirs    2.0     100   1.50  ratio <= 1.0  NOT MET\n  \
             a       7.2  ns\n\nA note.";
        assert_eq!(report.table(), expected);
        let bare = Report {
            sections: vec![Section { rows: vec![bare(1.0)], disturbed: 0.24, ..Section::new("T") }],
            notes: vec![],
        };
        let expected = "T\n     value  unit\n  b    1.0  ns\n  (other programs were in the way of 24 % of it)\n";
        assert_eq!(bare.table(), expected);
    }

    fn bare(value: f64) -> Row {
        let name = "b".to_owned();
        Row { name, value: Some(value), unit: "ns", ..Row::default() }
    }

    #[test]
    fn each_row_and_each_peer_is_an_object_and_so_are_their_instructions() {
        let rows = vec![row(2.71928, 1.5, Some(Goal::RatioAtMost(1.0)))];
        let report = Report { sections: vec![Section { rows, ..Section::new("T") }], notes: vec![] };
        let parsed: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        let expected = serde_json::json!([
            { "name": "T: ours", "value": 2.719, "unit": "ns", "versus": "theirs", "ratio": 1.5,
              "goal": "ratio <= 1.0", "met": false },
            { "name": "T: ours", "value": 150.0, "unit": "instructions", "versus": "theirs", "ratio": 1.5,
              "goal": null, "met": null },
            { "name": "T: theirs", "value": 2.0, "unit": "ns", "versus": null, "ratio": null, "goal": null, "met": null },
            { "name": "T: theirs", "value": 100.0, "unit": "instructions", "versus": null, "ratio": null,
              "goal": null, "met": null },
        ]);
        assert_eq!(parsed, expected);
    }
}
