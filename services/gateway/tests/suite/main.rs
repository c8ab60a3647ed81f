//! The gateway, driven from outside by real clients, with real servers behind it.

mod browsers;
mod carried;
mod deadlines;
mod drain;
mod echo;
mod errors;
mod gateway;
mod health;
mod hosts;
mod kinds;
mod limits;
mod misconfigured;
mod outage;
mod process;
mod raw;
mod reflection;
mod seen;
mod shop;
mod slow;
mod strange;
mod tls;
mod unary;
mod unread;
