//! What is done to processes, servers and connections: one function per recipe.
