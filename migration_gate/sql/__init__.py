"""SQL as text, without a server.

lexer               strings, comments, quoted names and operators; statements: where each ends
identifiers         names, written and read as Postgres does; literals: texts
"""
