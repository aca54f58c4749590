//! What `status` says: the same JSON for the command line, for ubus and for the text that people read.

pub mod connections;
pub mod status;
pub mod table;
pub mod text;
