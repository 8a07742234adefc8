"""What the user asked for: file, environment and command line, each value with its origin.

config_search       which file is read; file_settings: what it alone says
judging_settings    the part that judges, and whether the workflow set it
policy_file         what `extends:` names: policy_reference, policy_fetch
loading             the whole way, one `Settings` a project; precedence, resolve: its two halves
schema, sections    every key with its type, default and meaning; reference_page: as a page
pydantic_plugins    what they are validated with takes no plug-ins
config_file         TOML, and yaml_file; toml_lines, config_keys: where a key stands
gate_variables      MIGRATION_GATE_*; dotenv: the project's variables
faults              what is wrong with a value
checkout_paths      files that a configuration file may not name; baseline_file: one that it does
table_size_settings     sizes of production's tables; sizes_file: the file of them; size_text: in words
settings_options    the same settings as options of the command line
settings            the result; settings_text: for people; relocation: for another checkout
project_name, repository_root   found where nothing is set
"""
