"""What people have a right to: a copy of their data, erasure, restriction."""
