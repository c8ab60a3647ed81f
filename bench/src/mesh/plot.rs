//! A chart of all works: how many requests a second each contender answers.

use super::contenders::{Contender, USUAL};
use super::report::{Question, questions, standings, title};
use super::turn::Turn;

/// Of the questions, those with this many connections, or the most there are below.
const CONNECTIONS: usize = 64;
const BAR: f64 = 15.0;
const GAP: f64 = 30.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 70.0;
const HEIGHT: f64 = 340.0;
const BOTTOM: f64 = 40.0;
/// How wide a name in the legend is.
const LEGEND: f64 = 130.0;
/// Legible on white and on black.
const COLOURS: [&str; 7] = ["#8a8a8a", "#1f8fd6", "#0fa37f", "#e08a1e", "#c94f7c", "#8f6ad8", "#b8a000"];

/// The axis is logarithmic, from one power of ten to another.
struct Scale {
    lowest: i32,
    highest: i32,
}

impl Scale {
    fn of(rates: impl Iterator<Item = f64> + Clone) -> Self {
        let lowest = rates.clone().fold(f64::MAX, f64::min).max(1.0);
        let highest = rates.fold(1.0, f64::max);
        let power = |rate: f64| (0..9).take_while(|power| 10_f64.powi(*power) <= rate).last().unwrap_or(0);
        let lowest = power(lowest).min(power(highest));
        Self { lowest, highest: power(highest) + 1 }
    }

    /// How far down from the top it is.
    fn y(&self, rate: f64) -> f64 {
        let share = (rate.max(1.0).log10() - f64::from(self.lowest)) / f64::from(self.highest - self.lowest);
        TOP + HEIGHT * (1.0 - share.clamp(0.0, 1.0))
    }
}

pub(super) fn draw(turns: &[Turn]) -> String {
    let asked: Vec<Question> = questions(turns).into_iter().filter(|it| it.due.is_none()).collect();
    let connections =
        asked.iter().map(|it| it.connections).filter(|it| *it <= CONNECTIONS).max().unwrap_or(1);
    let groups: Vec<(Question, Vec<(Contender, f64)>)> = asked
        .into_iter()
        .filter(|question| question.connections == connections)
        .map(|question| {
            let rate = |contender| {
                let standing = standings(turns, question).into_iter().find(|it| it.contender == contender);
                Some((contender, standing?.medians?.rate))
            };
            (question, USUAL.into_iter().filter_map(rate).collect())
        })
        .collect();
    let scale = Scale::of(groups.iter().flat_map(|(_, bars)| bars.iter().map(|(_, rate)| *rate)));
    let mut x = LEFT;
    let mut bars = String::new();
    for (question, contenders) in &groups {
        let begin = x;
        for (contender, rate) in contenders {
            bars += &bar(*contender, *rate, x, &scale);
            x += BAR;
        }
        let middle = f64::midpoint(begin, x);
        let name = title(*question);
        let name = name.split(',').next().unwrap_or_default();
        bars += &text(middle, TOP + HEIGHT + 22.0, "middle", name);
        x += GAP;
    }
    let width = x.max(LEFT + 4.0 * LEGEND);
    frame(width, &scale, connections) + &bars + "</svg>\n"
}

/// All but the bars: the head, the axis and the legend.
fn frame(width: f64, scale: &Scale, connections: usize) -> String {
    let height = TOP + HEIGHT + BOTTOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<title>Requests a second with {connections} connections</title>\n\
         <style>text {{ fill: #222 }} line {{ stroke: #8884 }} \
         @media (prefers-color-scheme: dark) {{ text {{ fill: #ddd }} }}</style>\n"
    );
    svg += &text(8.0, 18.0, "start", &format!("requests/s, {connections} connections, logarithmic"));
    for (index, (contender, colour)) in USUAL.iter().zip(COLOURS).enumerate() {
        let x = 8.0 + LEGEND * f64::from(u32::try_from(index % 4).unwrap_or(0));
        let y = if index < 4 { 28.0 } else { 46.0 };
        svg += &format!("<rect x=\"{x:.0}\" y=\"{y:.0}\" width=\"11\" height=\"11\" fill=\"{colour}\"/>\n");
        svg += &text(x + 16.0, y + 10.0, "start", contender.name());
    }
    for power in scale.lowest..=scale.highest {
        let rate = 10_f64.powi(power);
        let y = scale.y(rate);
        svg += &format!("<line x1=\"{LEFT}\" x2=\"{width:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\n");
        svg += &text(LEFT - 8.0, y + 4.0, "end", &format!("{rate:.0}"));
    }
    svg
}

fn bar(contender: Contender, rate: f64, x: f64, scale: &Scale) -> String {
    let number = USUAL.iter().position(|it| *it == contender).unwrap_or(0);
    let (y, colour, name) = (scale.y(rate), COLOURS[number], contender.name());
    let (width, height) = (BAR - 2.0, TOP + HEIGHT - y);
    format!(
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width}\" height=\"{height:.1}\" fill=\"{colour}\">\
         <title>{name}: {rate:.0}/s</title></rect>\n"
    )
}

/// What is written here is ours, and has nothing in it that XML takes for its own.
fn text(x: f64, y: f64, anchor: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>\n")
}
