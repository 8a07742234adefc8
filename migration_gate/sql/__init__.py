"""SQL as text, without a server.

lexer               strings, comments, quoted names and operators; statements: where each ends
expression          a small tree of what Postgres prints for expressions
identifiers         names, written and read as Postgres does; literals: texts
"""
