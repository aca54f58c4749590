//! Hosts, providers and an Internet in network namespaces.
