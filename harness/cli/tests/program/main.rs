//! The program as people and pipelines see it: exit codes, what it prints where, what it leaves behind.
#![allow(clippy::disallowed_methods, reason = "these tests start processes")]

mod commands;
mod determinism;
mod doctor;
mod engine;
mod exit_codes;
mod explore;
mod folder;
mod gate;
mod json;
mod paths;
mod prune;
mod quiet;
mod readme;
mod release;
mod reproduce;
mod robust;
mod schemas;
mod serve;
mod streams;
mod support;
mod trace;
