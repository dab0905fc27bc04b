"""`chappe audit`: the audit log of a data folder, and the decisions and legal holds of a server."""
