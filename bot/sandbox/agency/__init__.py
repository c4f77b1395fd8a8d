"""The agency behind the sandbox: its fans' lives in agency time, and the data API that shows them."""
