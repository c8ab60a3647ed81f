//! What was measured, as a table in plain text.

use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use selvedge_postgres::Installation;

use crate::{Result, Size};

/// The contenders of one question, and how they did in each round.
pub(crate) struct Table {
    what: String,
    /// What is counted, in the singular.
    unit: &'static str,
    contenders: Vec<Contender>,
}

struct Contender {
    name: String,
    /// Seconds per unit, a figure per round.
    seconds: Vec<f64>,
}

impl Table {
    pub(crate) fn new(what: impl Into<String>, unit: &'static str) -> Self {
        Self { what: what.into(), unit, contenders: vec![] }
    }

    /// Lets a contender do its work, which makes this many units.
    pub(crate) async fn time<T>(
        &mut self,
        contender: &str,
        units: u64,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let began = Instant::now();
        let done = work.await?;
        self.add(contender, began.elapsed().as_secs_f64() / as_float(units));
        Ok(done)
    }

    /// Takes a figure of a contender: seconds per unit.
    pub(crate) fn add(&mut self, contender: &str, seconds: f64) {
        match self.contenders.iter_mut().find(|known| known.name == contender) {
            Some(known) => known.seconds.push(seconds),
            None => self.contenders.push(Contender { name: contender.into(), seconds: vec![seconds] }),
        }
    }

    /// Writes it, with the first contender as the measure of the others.
    pub(crate) fn print(&self) {
        let per_unit = format!("per {}", self.unit);
        let per_second = format!("{}s/s", self.unit);
        say(&format!("\n{}", self.what));
        say(&format!(
            "  {:<48} {per_unit:>14} {per_second:>14} {:>7}   {}s/s, slowest to fastest round",
            "contender", "ratio", self.unit
        ));
        let Some(first) = self.contenders.first().map(|first| median(&first.seconds)) else { return };
        for Contender { name, seconds } in &self.contenders {
            let time = median(seconds);
            let slowest = seconds.iter().copied().fold(f64::MIN, f64::max);
            let fastest = seconds.iter().copied().fold(f64::MAX, f64::min);
            say(&format!(
                "  {name:<48} {:>14} {:>14} {:>7.2}   {} to {}",
                duration(time),
                rate(time),
                first / time,
                rate(slowest),
                rate(fastest)
            ));
        }
    }
}

/// Says what the figures were taken on.
pub(crate) fn print_header(size: Size) -> Result<()> {
    let cores = available_parallelism()?;
    let postgres = Installation::find()?.version;
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    say(&format!(
        "{cores} cores, PostgreSQL {postgres}, {} rows, {} rounds, {profile} build",
        thousands(size.rows),
        size.rounds
    ));
    say(
        "A figure is the median of its rounds; a ratio is how fast it is as a multiple of the first contender.",
    );
    if cfg!(debug_assertions) {
        say("\n*** THIS IS A DEBUG BUILD: ITS FIGURES MEAN NOTHING. Use `cargo run --release`. ***");
    }
    Ok(())
}

/// Adds a line to what was written last.
pub(crate) fn note(text: &str) {
    say(&format!("  {text}"));
}

/// Writes what was asked for.
#[expect(clippy::print_stdout, reason = "it is what this program is for")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// The one in the middle, or the mean of both.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

fn duration(seconds: f64) -> String {
    let (figure, unit) = match seconds {
        _ if seconds < 1e-3 => (seconds * 1e6, "µs"),
        _ if seconds < 1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    format!("{figure:.2} {unit}")
}

/// Of what is done once in so many seconds.
fn rate(seconds: f64) -> String {
    let rate = 1.0 / seconds;
    if rate < 100.0 {
        format!("{rate:.2}")
    } else {
        thousands(Duration::from_secs_f64(rate.round()).as_secs())
    }
}

/// With a comma after each three digits.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "nothing here is counted to the last of 2^52")]
fn as_float(number: u64) -> f64 {
    number as f64
}
