import { jsonReply, type ServedModel, type ServiceReply } from "./service.ts";

/** The description of an Azure Machine Learning web service, in the version (Swagger 2.0) in which Azure's server gives it. */
export function swaggerOf({
  name,
  version,
  shape: [height, width],
  classes,
  hasProbabilities,
}: ServedModel): ServiceReply {
  const errors = { description: "What went wrong", schema: { $ref: "#/definitions/ErrorResponse" } };
  return jsonReply({
    swagger: "2.0",
    info: {
      title: name,
      description: `API specification for the Azure Machine Learning service ${name}`,
      version,
    },
    consumes: ["application/json"],
    produces: ["application/json"],
    securityDefinitions: {
      Bearer: { type: "apiKey", name: "Authorization", in: "header", description: "Bearer KEY" },
    },
    paths: {
      "/": {
        get: {
          operationId: "ServiceHealthCheck",
          description: "Answers Healthy once the model is loaded",
          produces: ["text/html"],
          responses: { 200: { description: "Ready", schema: { type: "string" } }, default: errors },
        },
      },
      "/score": {
        post: {
          operationId: "RunMLService",
          description: "Classifies images",
          security: [{ Bearer: [] }],
          parameters: [
            {
              name: "serviceInputPayload",
              in: "body",
              required: true,
              schema: { $ref: "#/definitions/ServiceInput" },
            },
            ...(hasProbabilities ? [probabilitiesParameter(classes.length)] : []),
            {
              name: "pixels",
              in: "query",
              type: "string",
              enum: ["0-1", "0-255"],
              description: "What the numbers are: already scaled, or pixels",
            },
          ],
          responses: {
            200: { description: "A label an image", schema: { $ref: "#/definitions/ServiceOutput" } },
            default: errors,
          },
        },
      },
    },
    definitions: {
      ServiceInput: {
        type: "object",
        required: ["data"],
        properties: {
          data: {
            type: "array",
            minItems: 1,
            items: {
              type: "array",
              minItems: height * width,
              maxItems: height * width,
              items: { type: "number", format: "float" },
            },
          },
        },
        example: { data: [Array.from({ length: height * width }, () => 0)] },
      },
      ServiceOutput: {
        type: "array",
        items: { type: "integer", format: "int64", minimum: 0, maximum: classes.length - 1 },
        example: [0],
      },
      ErrorResponse: { type: "object", properties: { message: { type: "string" } } },
    },
  });
}

function probabilitiesParameter(classes: number) {
  return {
    name: "probabilities",
    in: "query",
    type: "boolean",
    default: false,
    description: `Answer with ${classes} probabilities an image instead of its label`,
  };
}
