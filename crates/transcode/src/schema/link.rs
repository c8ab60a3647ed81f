//! From encoded files to a [`Schema`]: first every name gets its index, then every reference is looked up.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use prost::Message as _;

use super::features::Features;
use super::fields::{self, Place};
use super::{
    Enum, EnumId, EnumValue, Field, File, Message, MessageId, Method, Schema, SchemaError, Service, Symbol,
    SymbolKind, WellKnown,
};
use crate::descriptor::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    ServiceDescriptorProto, SourceCodeInfo,
};

// The numbers of the fields of the descriptors, which make the paths of comments.
const FILE_MESSAGE: i32 = 4;
const FILE_ENUM: i32 = 5;
const FILE_SERVICE: i32 = 6;
const FILE_EXTENSION: i32 = 7;
const MESSAGE_FIELD: i32 = 2;
const MESSAGE_NESTED: i32 = 3;
const MESSAGE_ENUM: i32 = 4;
const MESSAGE_EXTENSION: i32 = 6;
const MESSAGE_ONEOF: i32 = 8;
const ENUM_VALUE: i32 = 2;
const SERVICE_METHOD: i32 = 2;

pub(super) fn link(sets: &[&[u8]]) -> Result<Schema, SchemaError> {
    let files = decode(sets)?;
    let mut linker = Linker::default();
    for (file, _) in &files {
        linker.declare_file(file).map_err(|problem| SchemaError { file: file.name.clone(), problem })?;
    }
    // References between files are by full name, so that their order does not matter.
    for (index, (mut file, raw)) in files.into_iter().enumerate() {
        let name = file.name.clone();
        linker.comments = file.source_code_info.take().map(SourceCodeInfo::comments).unwrap_or_default();
        linker.fill_file(index, file, raw).map_err(|problem| SchemaError { file: name, problem })?;
    }
    linker.add_extensions()?;
    Ok(linker.schema)
}

fn decode(sets: &[&[u8]]) -> Result<Vec<(FileDescriptorProto, Bytes)>, SchemaError> {
    let unreadable = |error: prost::DecodeError| SchemaError {
        file: "descriptor set".to_owned(),
        problem: format!("cannot be decoded: {error}"),
    };
    let mut files = vec![];
    let mut seen = HashSet::new();
    for set in sets {
        for raw in FileDescriptorSet::decode(*set).map_err(unreadable)?.file {
            let file = FileDescriptorProto::decode(raw.clone()).map_err(unreadable)?;
            if seen.insert(file.name.clone()) {
                files.push((file, raw));
            }
        }
    }
    Ok(files)
}

#[derive(Default)]
struct Linker {
    schema: Schema,
    comments: HashMap<Vec<i32>, Box<str>>,
    extensions: Vec<(usize, MessageId, Field)>,
    next_message: u32,
    next_enum: u32,
}

type Linked<T> = Result<T, String>;

impl Linker {
    fn declare_file(&mut self, file: &FileDescriptorProto) -> Linked<()> {
        self.schema.files.push(File {
            name: file.name.as_str().into(),
            package: file.package.as_str().into(),
            dependencies: file.dependency.iter().map(|name| name.as_str().into()).collect(),
            raw: Bytes::new(),
        });
        let scope = file.package.as_str();
        for message in &file.message_type {
            self.declare_message(scope, message)?;
        }
        for declared in &file.enum_type {
            self.declare_enum(scope, declared)?;
        }
        for extension in &file.extension {
            self.declare(scope, &extension.name, SymbolKind::Other)?;
        }
        for service in &file.service {
            let name = self.declare(scope, &service.name, SymbolKind::Other)?;
            for method in &service.method {
                self.declare(&name, &method.name, SymbolKind::Other)?;
            }
        }
        Ok(())
    }

    fn declare_message(&mut self, scope: &str, message: &DescriptorProto) -> Linked<()> {
        let id = MessageId(self.next_message);
        self.next_message += 1;
        let name = self.declare(scope, &message.name, SymbolKind::Message(id))?;
        let fields = message.field.iter().chain(&message.extension).map(|field| &field.name);
        for inner in fields.chain(message.oneof_decl.iter().map(|oneof| &oneof.name)) {
            self.declare(&name, inner, SymbolKind::Other)?;
        }
        for nested in &message.nested_type {
            self.declare_message(&name, nested)?;
        }
        message.enum_type.iter().try_for_each(|nested| self.declare_enum(&name, nested))
    }

    fn declare_enum(&mut self, scope: &str, declared: &EnumDescriptorProto) -> Linked<()> {
        let id = EnumId(self.next_enum);
        self.next_enum += 1;
        self.declare(scope, &declared.name, SymbolKind::Enum(id))?;
        // The values of an enum are its siblings.
        for value in &declared.value {
            self.declare(scope, &value.name, SymbolKind::Other)?;
        }
        Ok(())
    }

    fn declare(&mut self, scope: &str, name: &str, of: SymbolKind) -> Linked<String> {
        let full = if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") };
        let file = u32::try_from(self.schema.files.len() - 1).map_err(|_| "too many files".to_owned())?;
        match self.schema.symbols.insert(full.as_str().into(), Symbol { file, of }) {
            Some(_) => Err(format!("`{full}` is declared twice")),
            None => Ok(full),
        }
    }

    fn fill_file(&mut self, index: usize, file: FileDescriptorProto, raw: Bytes) -> Linked<()> {
        self.schema.files[index].raw = raw;
        let place = Place { file: index, features: Features::of_file(&file)? };
        let scope = file.package;
        for (at, message) in (0..).zip(file.message_type) {
            self.fill_message(place, &scope, message, &[FILE_MESSAGE, at])?;
        }
        for (at, declared) in (0..).zip(file.enum_type) {
            self.fill_enum(place, &scope, declared, &[FILE_ENUM, at]);
        }
        for (at, extension) in (0..).zip(file.extension) {
            self.fill_extension(place, &scope, extension, &[FILE_EXTENSION, at])?;
        }
        for (at, service) in (0..).zip(file.service) {
            let service = self.service(index, &scope, service, &[FILE_SERVICE, at])?;
            self.schema.services.push(service);
        }
        Ok(())
    }

    fn fill_message(
        &mut self,
        outer: Place,
        scope: &str,
        message: DescriptorProto,
        path: &[i32],
    ) -> Linked<()> {
        let options = message.options.unwrap_or_default();
        let place = Place { features: outer.features.with(options.features.as_ref()), ..outer };
        let name = join(scope, &message.name);
        let linked = Message {
            well_known: WellKnown::of(&name),
            is_map_entry: options.map_entry,
            is_message_set: options.message_set_wire_format,
            deprecated: options.deprecated,
            comment: self.comment(path, &[]),
            rules: options.rules.concat().into(),
            file: place.file,
            oneofs: Box::default(),
            fields: Box::default(),
            name: name.as_str().into(),
        };
        // Ids were given in this order as well: a message before those inside it.
        self.schema.messages.push(linked);
        let at = self.schema.messages.len() - 1;
        let mut all = vec![];
        for (index, field) in message.field.into_iter().enumerate() {
            let comment = self.comment(path, &[MESSAGE_FIELD, position(index)]);
            all.push(fields::link(
                &self.schema,
                place,
                &message.oneof_decl,
                &message.nested_type,
                options.map_entry,
                index,
                field,
                comment,
            )?);
        }
        let comments = (0..).zip(&message.oneof_decl).map(|(at, _)| self.comment(path, &[MESSAGE_ONEOF, at]));
        let comments = comments.collect::<Vec<_>>();
        let (all, oneofs) = fields::arrange(&name, all, message.oneof_decl, comments)?;
        self.schema.messages[at].fields = all;
        self.schema.messages[at].oneofs = oneofs;
        for (index, nested) in (0..).zip(message.nested_type) {
            self.fill_message(place, &name, nested, &[path, &[MESSAGE_NESTED, index]].concat())?;
        }
        for (index, nested) in (0..).zip(message.enum_type) {
            self.fill_enum(place, &name, nested, &[path, &[MESSAGE_ENUM, index]].concat());
        }
        for (index, extension) in (0..).zip(message.extension) {
            self.fill_extension(place, &name, extension, &[path, &[MESSAGE_EXTENSION, index]].concat())?;
        }
        Ok(())
    }

    fn fill_enum(&mut self, place: Place, scope: &str, declared: EnumDescriptorProto, path: &[i32]) {
        let features = declared.options.as_ref().and_then(|options| options.features.as_ref());
        let value = |(at, value): (i32, crate::descriptor::EnumValueDescriptorProto)| EnumValue {
            name: value.name.into(),
            number: value.number,
            comment: self.comment(path, &[ENUM_VALUE, at]),
        };
        let linked = Enum {
            name: join(scope, &declared.name).into(),
            values: (0..).zip(declared.value).map(value).collect(),
            is_closed: place.features.with(features).closed_enums,
            comment: self.comment(path, &[]),
        };
        self.schema.enums.push(linked);
    }

    fn fill_extension(
        &mut self,
        place: Place,
        scope: &str,
        field: FieldDescriptorProto,
        path: &[i32],
    ) -> Linked<()> {
        let extendee = fields::message(&self.schema, &field.extendee)?;
        let full = join(scope, &field.name);
        let comment = self.comment(path, &[]);
        let mut linked = fields::link(&self.schema, place, &[], &[], false, usize::MAX, field, comment)?;
        linked.name = format!("[{full}]").into();
        linked.json_name = linked.name.clone();
        linked.is_extension = true;
        self.extensions.push((place.file, extendee, linked));
        Ok(())
    }

    /// When all messages are there, whichever file they are in.
    fn add_extensions(&mut self) -> Result<(), SchemaError> {
        for (file, extendee, field) in std::mem::take(&mut self.extensions) {
            let message = &mut self.schema.messages[extendee.0 as usize];
            let mut fields = std::mem::take(&mut message.fields).into_vec();
            // Behind all that were declared inside, whose places in oneofs are known by now.
            match fields.binary_search_by_key(&field.number, |other| other.number) {
                Ok(_) => {
                    let problem =
                        format!("`{}` takes a number of `{}` that is taken", field.name, message.name);
                    return Err(SchemaError { file: self.schema.files[file].name.to_string(), problem });
                }
                Err(at) => {
                    for place in message.oneofs.iter_mut().flat_map(|oneof| &mut oneof.fields) {
                        *place += usize::from(*place >= at);
                    }
                    fields.insert(at, field);
                }
            }
            message.fields = fields.into();
        }
        Ok(())
    }

    fn service(
        &self,
        file: usize,
        scope: &str,
        service: ServiceDescriptorProto,
        path: &[i32],
    ) -> Linked<Service> {
        let name = join(scope, &service.name);
        let mut methods = vec![];
        for (at, method) in (0..).zip(service.method) {
            let options = method.options.unwrap_or_default();
            methods.push(Method {
                path: format!("/{name}/{}", method.name).into(),
                name: method.name.into(),
                input: fields::message(&self.schema, &method.input_type)?,
                output: fields::message(&self.schema, &method.output_type)?,
                client_streaming: method.client_streaming,
                server_streaming: method.server_streaming,
                has_no_side_effects: options.idempotency_level == 1,
                deprecated: options.deprecated,
                http: options.http,
                comment: self.comment(path, &[SERVICE_METHOD, at]),
            });
        }
        Ok(Service { name: name.into(), methods: methods.into(), comment: self.comment(path, &[]), file })
    }

    fn comment(&self, path: &[i32], below: &[i32]) -> Box<str> {
        self.comments.get(&[path, below].concat()).cloned().unwrap_or_default()
    }
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

fn position(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}
